import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encoderFor } from './codec-table.ts';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { formats, only } from './test-voice.ts';

const keyHz = { '5': [770, 1336], '#': [941, 1477] } as const;

describe('Keys pressed in the audio', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  async function press(phone: TestPhone, format: NegotiatedCodec, key: '5' | '#'): Promise<void> {
    const encoder = encoderFor(format);
    const samples = encoder.rateHz / 50;
    const [low, high] = keyHz[key].map((hertz) => (2 * Math.PI * hertz) / encoder.rateHz) as [number, number];
    for (let n = 0; n < 20; n++) {
      const isDown = n >= 5 && n < 10;
      const frame = Int16Array.from({ length: samples }, (_, i) =>
        isDown ? 4000 * (Math.sin(low * (n * samples + i)) + Math.sin(high * (n * samples + i))) : 0,
      );
      const payload = new Uint8Array(1500);
      const bytes = encoder.encode(frame, payload);
      const { payloadType, clockRateHz } = format;
      await phone.send({ payload: payload.slice(0, bytes), payloadType, ticks: clockRateHz / 50 });
      await bench.slots(1);
    }
  }

  const digits = () => bench.events.filter((event) => event.event === 'leg.digit');

  for (const format of [formats.pcmu, formats.g722, formats.opus])
    it(`are reported where no telephone events were agreed (${format.codec}), in a room and out of it`, async () => {
      const phone = await bench.call('a', only(format, { telephoneEvent: undefined }));
      await press(phone, format, '5');
      await bench.join('a', 'room');
      await press(phone, format, '#');
      assert.deepEqual(
        digits().map(({ digit }) => digit),
        ['5', '#'],
      );
      assert.ok(digits().every(({ durationMs }) => durationMs >= 80 && durationMs <= 120));
      assert.deepEqual(
        bench.capture.digits.map(({ digit }) => digit),
        ['#'],
      );
    });

  it('leave the room, and are heard while the leg is relayed', async () => {
    const phone = await bench.call('a', { telephoneEvent: undefined });
    await bench.call('b');
    const mode: RoomMode = 'relay';
    await bench.join('a', 'room', { mode, leaveKey: '#' });
    await bench.join('b', 'room', { mode });
    await press(phone, formats.pcmu, '5');
    assert.equal(digits().length, 1);
    await press(phone, formats.pcmu, '#');
    assert.ok(bench.events.some((event) => event.event === 'stay.left' && event.legId === 'a'));
  });

  it('are left alone where telephone events were agreed', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    await press(phone, formats.pcmu, '5');
    assert.deepEqual(digits(), []);
  });
});
