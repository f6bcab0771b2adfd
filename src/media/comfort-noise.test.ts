import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decodeUlaw } from '../codec/g711.ts';
import type { RoomMode } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { assertOrderly, speech } from './test-stream.ts';

const comfortNoise = [{ payloadType: 13, clockRateHz: 8000 }];

describe('Comfort noise', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  async function talk(phone: TestPhone, packets: number): Promise<void> {
    for (let n = 0; n < packets; n++) {
      await phone.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
  }

  /** So loud, below full scale; afterwards the phone is silent for some slots, and its time goes on. */
  async function pause(phone: TestPhone, levelDb: number, slots: number, payloadType = 13): Promise<void> {
    await phone.send({ payload: Uint8Array.of(levelDb), payloadType, ticks: slots * 160 });
    for (let n = 0; n < slots; n += 10) await bench.slots(10);
  }

  function levelDbov(packets: { payload(): Uint8Array }[]): number {
    const samples = new Int16Array(packets.length * 160);
    for (const [n, packet] of packets.entries()) decodeUlaw(packet.payload(), samples, n * 160);
    const power = samples.reduce((sum, sample) => sum + sample ** 2, 0) / samples.length;
    return 10 * Math.log10(power / 32_768 ** 2);
  }

  for (const agreed of [true, false])
    it(`is recorded as it came and heard by the others, ${agreed ? '' : 'not '}negotiated`, async () => {
      const phone = await bench.call('a', agreed ? { comfortNoise } : {});
      const other = await bench.call('b');
      await bench.join('a', 'room');
      await bench.join('b', 'room');
      await talk(phone, 10);
      const before = other.received.length;
      await pause(phone, 40, 100);
      const heard = levelDbov(other.received.slice(before + 20));
      assert.ok(Math.abs(heard + 40) < 2, `${heard} dBov`);
      await talk(phone, 10);
      const spooled = bench.capture.packets.map(({ packet }) => `${packet.codec}/${packet.clockRateHz}`);
      assert.deepEqual(spooled, [
        ...new Array(10).fill('PCMU/8000'),
        'CN/8000',
        ...new Array(10).fill('PCMU/8000'),
      ]);
      assert.deepEqual([...bench.capture.packets[10]!.packet.payload], [40]);
    });

  it('is relayed with the number of the other side, or made for a side that takes none', async () => {
    const mode: RoomMode = 'relay';
    const phone = await bench.call('a', { comfortNoise });
    const taking = await bench.call('b', { comfortNoise: [{ payloadType: 97, clockRateHz: 8000 }] });
    await bench.join('a', 'room', { mode });
    await bench.join('b', 'room', { mode });
    await talk(phone, 10);
    await pause(phone, 40, 50);
    await talk(phone, 5);
    const [noise] = taking.received.filter(({ payloadType }) => payloadType === 97);
    assert.deepEqual([...noise!.payload()], [40]);
    const at = taking.received.indexOf(noise!);
    const next = taking.received[at + 1]!;
    assert.deepEqual(next.payload(), speech(1, 0), 'nothing was sent in the pause');
    assert.equal(next.timestamp - noise!.timestamp, 50 * 160);
    assertOrderly(taking.received);

    await bench.execute(taking.negotiation('b'));
    const before = taking.received.length;
    await pause(phone, 40, 100);
    const made = taking.received.slice(before + 20);
    assert.ok(made.length > 70);
    assert.ok(Math.abs(levelDbov(made) + 40) < 2, `${levelDbov(made)} dBov`);
    assertOrderly(taking.received);
  });

  it('keeps what is bound to the port of a held leg, or an empty packet does', async () => {
    for (const [legId, agreed] of [
      ['noisy', { comfortNoise }],
      ['plain', {}],
    ] as const) {
      const phone = await bench.call(legId, { ...agreed, direction: 'inactive' });
      for (let n = 0; n < 1600; n += 20) await bench.slots(20);
      assert.deepEqual(
        phone.received.map((packet) => [packet.payloadType, ...packet.payload()]),
        legId === 'noisy'
          ? [
              [13, 127],
              [13, 127],
            ]
          : [[0], [0]],
      );
      assertOrderly(phone.received);
      const multiplexed = await bench.call(`${legId} mux`, {
        ...agreed,
        direction: 'inactive',
        rtcp: { mux: true },
      });
      for (let n = 0; n < 1600; n += 20) await bench.slots(20);
      assert.deepEqual(multiplexed.received, [], 'RTCP does');
    }
  });
});
