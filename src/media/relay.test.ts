import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decodeUlaw, encodeAlaw, encodeUlaw } from '../codec/g711.ts';
import { TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import type { LegNegotiate } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { assertOrderly, isSilent, loud, speech } from './test-stream.ts';

const pcma = { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } as const;

describe('Relay', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  const join = (legId: string, mode: 'mix' | 'relay' = 'relay') => bench.join(legId, 'room', { mode });

  async function callTwo(overridesOfB: Partial<LegNegotiate> = {}): Promise<[TestPhone, TestPhone]> {
    const phones: [TestPhone, TestPhone] = [await bench.call('a'), await bench.call('b', overridesOfB)];
    await join('a');
    await join('b');
    return phones;
  }

  it('sends each packet on in the tick that found it, as it is, and captures it', async () => {
    const [a, b] = await callTwo();
    const packets = [
      { payload: speech(1, 0), marker: true },
      { payload: speech(1, 1, 240) },
      { payload: speech(1, 2, 80), payloadType: 8, marker: true },
      { payload: speech(1, 3) },
    ];
    for (const [n, packet] of packets.entries()) {
      await a.send(packet);
      await b.send({ payload: speech(2, n) });
      bench.clock.advanceMs(5);
      await bench.slots(0);
      assert.deepEqual(b.received.at(-1)?.payload(), packet.payload);
      assert.deepEqual(a.received.at(-1)?.payload(), speech(2, n));
      bench.clock.advanceMs(15);
    }
    await bench.slots(0);
    assert.deepEqual(
      b.received.map(({ payloadType, marker }) => [payloadType, marker]),
      [
        [0, true],
        [0, false],
        [8, true],
        [0, false],
      ],
    );
    assert.deepEqual(
      b.received.map(({ timestamp }) => (timestamp - b.received[0]!.timestamp) >>> 0),
      [0, 160, 400, 480],
    );
    assertOrderly(b.received);
    assert.notEqual(b.received[0]!.ssrc, a.ssrc);
    const captured = (trackId: string) =>
      bench.capture.packets.flatMap(({ stay, packet }) => (stay.trackId === trackId ? [packet.payload] : []));
    assert.deepEqual(
      captured('track-a'),
      packets.map(({ payload }) => payload),
    );
    assert.deepEqual(
      captured('track-b'),
      packets.map((_, n) => speech(2, n)),
    );
  });

  it('gives silence to a lone leg, and one stream through joins, leaves and a third leg', async () => {
    const [a, b, c] = [await bench.call('a'), await bench.call('b'), await bench.call('c')];
    let n = 0;
    const talk = async (slots: number): Promise<void> => {
      for (let end = n + slots; n < end; n++) {
        for (const [i, phone] of [a, b, c].entries()) await phone.send({ payload: speech(i, n) });
        await bench.slots(1);
      }
    };
    const heard = (phone: TestPhone): Uint8Array[] => loud(phone).splice(0);
    await join('a');
    await talk(5);
    assert.deepEqual(heard(a), []);
    await join('b');
    await talk(5);
    assert.deepEqual(
      heard(a),
      [5, 6, 7, 8, 9].map((at) => speech(1, at)),
    );
    await join('c');
    const before = loud(c).length;
    await talk(10);
    assert.ok(loud(c).length >= before + 8, 'the third hears the mix');
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await talk(5);
    assert.deepEqual(
      loud(c).slice(-5),
      [20, 21, 22, 23, 24].map((at) => speech(1, at)),
    );
    await bench.execute({ verb: 'room.leave', legId: 'c' });
    await talk(5);
    assert.ok(b.received.slice(-4).every(isSilent));
    for (const phone of [a, b, c]) assertOrderly(phone.received);
  });

  it('keeps numbers and times of what follows three seconds that came almost at once', async () => {
    const [a, b] = await callTwo();
    const beganAt = { sequenceNumber: a.sequenceNumber, timestamp: a.timestamp };
    const ahead = 150;
    for (let n = 0; n < ahead; n++) {
      await a.send({ payload: speech(1, n) });
      // Five in a tick: no socket has to let any wait.
      if (n % 5 === 4) bench.clock.advanceMs(5);
    }
    await bench.slots(1);
    assert.equal(b.received.length, ahead);
    // One is lost, and two come the wrong way round; then all is in order for longer than the lead.
    const order = [1, 3, 2, ...Array.from({ length: 200 }, (_, n) => n + 4)];
    for (const n of order) {
      a.sequenceNumber = (beganAt.sequenceNumber + ahead + n) & 0xffff;
      a.timestamp = (beganAt.timestamp + 160 * (ahead + n)) >>> 0;
      await a.send({ payload: speech(1, ahead + n) });
      await bench.slots(1);
    }
    const [first] = b.received;
    const live = b.received.slice(ahead);
    assert.deepEqual(
      live.map(({ sequenceNumber, timestamp }) => [
        ((sequenceNumber - first!.sequenceNumber) & 0xffff) - ahead,
        ((timestamp - first!.timestamp) >>> 0) / 160 - ahead,
      ]),
      order.map((n) => [n, n]),
    );
    assert.ok(live.every(({ marker }) => !marker));
  });

  it('mixes where one of the two joined to be mixed', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    await join('a');
    await join('b', 'mix');
    for (let n = 0; n < 5; n++) {
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    assert.equal(b.received.length, 5);
    assert.ok(isSilent(b.received[0]!));
    assert.deepEqual(loud(b)[0], speech(1, 0));
  });

  it('decodes and encodes what the other side has not negotiated, in that direction alone', async () => {
    const [a, b] = await callTwo({ receive: [pcma], send: pcma });
    for (let n = 0; n < 6; n++) {
      await a.send({ payload: speech(1, n) });
      await b.send({ payload: speech(2, n), payloadType: 8 });
      await bench.slots(1);
    }
    assert.deepEqual(
      a.received.map((packet) => [packet.payloadType, packet.payload()]),
      Array.from({ length: 6 }, (_, n) => [8, speech(2, n)]),
    );
    const transcoded = Array.from({ length: 4 }, (_, n) => {
      const samples = new Int16Array(160);
      const out = new Uint8Array(160);
      decodeUlaw(speech(1, n), samples);
      encodeAlaw(samples, out);
      return out;
    });
    assert.deepEqual(
      b.received.slice(2).map((packet) => packet.payload()),
      transcoded,
    );
    assertOrderly(b.received);
  });

  for (const [name, overrides] of [
    ['relayed', {}],
    ['transcoded', { receive: [pcma], send: pcma }],
  ] satisfies [string, Partial<LegNegotiate>][])
    it(`sends key presses on beside ${name} audio, by the other side's payload type`, async () => {
      const [a, b] = await callTwo({
        ...overrides,
        telephoneEvent: { payloadType: 101, clockRateHz: 8000, sendPayloadType: 97 },
      });
      for (let n = 0; n < 30; n++) {
        if (n === 10) {
          await a.press('#', { durationMs: 120 });
          await bench.slots(1);
          await a.press('5');
        }
        await a.send({ payload: speech(1, n) });
        await bench.slots(1);
      }
      const digits: [string, number][] = [];
      const receiver = new TelephoneEventReceiver(8000, ({ digit, durationMs }) =>
        digits.push([digit, durationMs]),
      );
      for (const packet of b.received)
        if (packet.payloadType === 97) receiver.receive(packet.payload(), packet.timestamp, 0);
      assert.deepEqual(digits, [
        ['#', 120],
        ['5', 100],
      ]);
      assert.deepEqual(
        bench.capture.digits.map(({ digit }) => digit),
        ['#', '5'],
      );
      assert.equal(bench.events.filter(({ event }) => event === 'leg.digit').length, 2);
      const kinds = b.received.map(({ payloadType }) => payloadType === 97);
      assert.equal(kinds.lastIndexOf(true) - kinds.indexOf(true), 8 + 7 - 1, 'no audio in between');
      assert.ok(b.received.every(({ ssrc }) => ssrc === b.received[0]!.ssrc));
      for (const [i, { sequenceNumber }] of b.received.entries())
        assert.equal(sequenceNumber, (b.received[0]!.sequenceNumber + i) & 0xffff);
    });

  it('leaves key presses out without a gap where the other side takes none', async () => {
    const [a, b] = await callTwo({ telephoneEvent: undefined });
    for (let n = 0; n < 5; n++) {
      if (n === 2) await a.press('1');
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    assert.equal(b.received.length, 5);
    assertOrderly(b.received);
  });

  it('keeps the leave key and keep-alives without audio from the other side, without a gap', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    await bench.join('a', 'room', { mode: 'relay', leaveKey: '*' });
    await join('b');
    for (let n = 0; n < 5; n++) {
      if (n === 1) await a.press('1');
      if (n === 3) await a.send({ payload: new Uint8Array(0) });
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    await a.press('*');
    await bench.slots(3);
    assert.equal(b.received.filter(({ payloadType }) => payloadType === 101).length, 7);
    assert.equal(loud(b).length, 5 + 7);
    assertOrderly(b.received);
    assert.ok(bench.events.some(({ event }) => event === 'stay.left'));
  });

  it('goes over to the mix while a prompt or a key is sent to one side, and back', async () => {
    const [a, b] = await callTwo();
    const prompt = new Int16Array(800).fill(1000);
    const inB: string[] = [];
    for (let n = 0; n < 40; n++) {
      if (n === 5)
        await bench.execute({ verb: 'play.start', legId: 'b', playId: 'p', samples: prompt, rateHz: 8000 });
      if (n === 20)
        await bench.execute({
          verb: 'digits.send',
          legId: 'b',
          digitsId: 'd',
          digits: '1',
          durationMs: 100,
          gapMs: 40,
        });
      await a.send({ payload: speech(1, n) });
      await b.send({ payload: speech(2, n) });
      const before = b.received.length;
      await bench.slots(1);
      const kinds = b.received.slice(before).map((packet) => {
        if (packet.payloadType === 101) return 'key';
        return Buffer.compare(packet.payload(), speech(1, n)) === 0 ? 'relayed' : 'slot';
      });
      inB.push([...new Set(kinds)].join());
    }
    assert.deepEqual(inB.slice(0, 5), Array(5).fill('relayed'));
    assert.deepEqual(inB.slice(5, 10), Array(5).fill('slot'));
    assert.deepEqual(inB.slice(11, 20), Array(9).fill('relayed'));
    assert.deepEqual(inB.slice(20, 25), Array(5).fill('key'));
    assert.deepEqual(inB.slice(28), Array(12).fill('relayed'));
    assert.deepEqual(
      loud(a),
      Array.from({ length: 40 }, (_, n) => speech(2, n)),
    );
    assertOrderly(b.received);
    // The prompt alone first: the jitter buffer of the other leg has just begun.
    const encoded = new Uint8Array(160);
    encodeUlaw(prompt.subarray(0, 160), encoded);
    assert.deepEqual(b.received[5]!.payload(), encoded);
  });

  it('makes up nothing for who joins while the thread is held up', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    await join('a');
    let n = 0;
    const talk = async (packets: number): Promise<void> => {
      for (const end = n + packets; n < end; n++) {
        await a.send({ payload: speech(1, n) });
        await bench.slots(1);
      }
    };
    await talk(6);
    await join('b');
    bench.clock.advanceMs(100);
    await bench.slots(0);
    await talk(6);
    assert.deepEqual(
      loud(b),
      Array.from({ length: 6 }, (_, i) => speech(1, 6 + i)),
    );
    assertOrderly(b.received);
  });

  it('gives key presses the number and the clock of the other side, beside audio of another codec', async () => {
    const opus = { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 } as const;
    const fast = { payloadType: 97, clockRateHz: 48_000 };
    const [a, b] = await callTwo({ receive: [opus], send: opus, telephoneEvent: fast });
    await a.send({ payload: speech(1, 0) });
    await bench.slots(2);
    for (const duration of [160, 800])
      await a.send({ payload: Uint8Array.of(5, 10, duration >> 8, duration), payloadType: 101, ticks: 0 });
    await bench.slots(2);
    const presses = b.received.filter(({ payloadType }) => payloadType === 97);
    assert.deepEqual(
      presses.map((packet) => [...packet.payload()]),
      [960, 4800].map((duration) => [5, 10, duration >> 8, duration & 0xff]),
    );
    assert.equal(new Set(presses.map(({ timestamp }) => timestamp)).size, 1, 'one key press');
    for (const duration of [4800, 9600])
      await b.send({
        payload: Uint8Array.of(7, 10, duration >> 8, duration & 0xff),
        payloadType: 97,
        ticks: 0,
      });
    await bench.slots(2);
    assert.deepEqual(
      a.received.filter(({ payloadType }) => payloadType === 101).map((packet) => [...packet.payload()]),
      [800, 1600].map((duration) => [7, 10, duration >> 8, duration & 0xff]),
    );
    for (const { received } of [a, b])
      for (const [i, packet] of received.entries())
        assert.equal(packet.sequenceNumber, (received[0]!.sequenceNumber + i) & 0xffff);
  });

  const narrow = { payloadType: 101, clockRateHz: 8000 };
  const wide = { payloadType: 97, clockRateHz: 48_000 };
  for (const [from, to] of [
    [narrow, wide],
    [wide, narrow],
  ] as const)
    it(`counts a long key press in the segments of the other side, to ${to.clockRateHz} Hz`, async () => {
      const opus = { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 } as const;
      const agreed = (telephoneEvent: typeof narrow | typeof wide): Partial<LegNegotiate> =>
        telephoneEvent === wide ? { receive: [opus], send: opus, telephoneEvent } : { telephoneEvent };
      const a = await bench.call('a', agreed(from));
      const b = await bench.call('b', agreed(to));
      await join('a');
      await join('b');
      await bench.slots(5);
      await a.press('8', { durationMs: 3000, ...from });
      await bench.slots(5);
      await a.press('9', from);
      await bench.slots(5);
      const heard: [string, number][] = [];
      const receiver = new TelephoneEventReceiver(to.clockRateHz, ({ digit, durationMs }) =>
        heard.push([digit, durationMs]),
      );
      const events = b.received.filter((packet) => packet.payloadType === to.payloadType);
      for (const packet of events) receiver.receive(packet.payload(), packet.timestamp, 0);
      assert.deepEqual(heard, [
        ['8', 3000],
        ['9', 100],
      ]);
      const full = events.filter((packet) => packet.payload()[2] === 0xff && packet.payload()[3] === 0xff);
      assert.equal(full.length, to === narrow ? 0 : 6, 'the end of each full segment three times');
      for (const [i, packet] of b.received.entries())
        assert.equal(packet.sequenceNumber, (b.received[0]!.sequenceNumber + i) & 0xffff);
    });

  it('counts a long key press in segments beside relayed audio, numbers without a gap', async () => {
    const [a, b] = await callTwo({ telephoneEvent: { payloadType: 97, clockRateHz: 48_000 } });
    for (let n = 0; n < 3; n++) {
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    await a.press('8', { durationMs: 1500 });
    for (let n = 3; n < 6; n++) {
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    const events = b.received.filter((packet) => packet.payloadType === 97);
    assert.equal(events.length, 74 + 3 + 3);
    const numbers = b.received.map(({ sequenceNumber }) => sequenceNumber);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => (numbers[0]! + i) & 0xffff),
    );
  });

  it('relays between numbers that differ for one codec', async () => {
    const ofA = { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 } as const;
    const ofB = { ...ofA, payloadType: 107 };
    const a = await bench.call('a', { receive: [ofA], send: ofA });
    const b = await bench.call('b', { receive: [ofB], send: ofB });
    await join('a');
    await join('b');
    await a.send({ payload: Uint8Array.of(0x78, 1, 2), payloadType: 111, ticks: 960 });
    await b.send({ payload: Uint8Array.of(0x78, 3, 4), payloadType: 107, ticks: 960 });
    bench.clock.advanceMs(5);
    await bench.slots(0);
    assert.deepEqual([b.received.at(-1)!.payloadType, ...b.received.at(-1)!.payload()], [107, 0x78, 1, 2]);
    assert.deepEqual([a.received.at(-1)!.payloadType, ...a.received.at(-1)!.payload()], [111, 0x78, 3, 4]);
  });
});
