import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeUlaw } from '../codec/g711.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { slotUs } from './codec-table.ts';
import type { LegNegotiate } from './control.ts';
import { inFlightUs } from './receive-gate.ts';
import { Relay, type RelayedPacket } from './relay.ts';
import { RtpSender } from './rtp-sender.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { assertOrderly, isSilent, loud, speech } from './test-stream.ts';

const pcma = { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } as const;

const inFlightSlots = inFlightUs / slotUs + 1;

describe('Relay: one stream', () => {
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

  it('keeps losses, repetitions and the order of arrival for the far jitter buffer', async () => {
    const [a, b] = await callTwo();
    const [sequenceNumber, timestamp] = [a.sequenceNumber, a.timestamp];
    const order = [0, 1, 3, 2, 2, 7, 6];
    for (const n of order) {
      a.sequenceNumber = (sequenceNumber + n) & 0xffff;
      a.timestamp = (timestamp + n * 160) >>> 0;
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    const [first] = b.received;
    assert.deepEqual(
      b.received.map((packet) => (packet.sequenceNumber - first!.sequenceNumber) & 0xffff),
      order,
    );
    assert.deepEqual(
      b.received.map((packet) => ((packet.timestamp - first!.timestamp) >>> 0) / 160),
      order,
    );
    await bench.slots(30);
    assert.equal((b.received[order.length]!.sequenceNumber - first!.sequenceNumber) & 0xffff, 8);
  });

  it('loses nothing that was to be sent in longer packets before it', async () => {
    const [a, b] = await callTwo({ ptimeMs: 60 });
    const samples = Int16Array.from({ length: 640 }, (_, i) => 100 + i);
    await bench.execute({ verb: 'play.start', legId: 'b', playId: 'p', samples, rateHz: 8000 });
    await bench.slots(4);
    await a.send({ payload: speech(1, 0) });
    await bench.slots(1);
    const encoded = new Uint8Array(640);
    encodeUlaw(samples, encoded);
    assert.deepEqual(
      b.received.map((packet) => packet.payload()),
      [encoded.subarray(0, 480), encoded.subarray(480), speech(1, 0)],
    );
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await join('a');
    await bench.slots(2);
    await a.press('1', { ends: 1 });
    await bench.slots(1);
    assert.deepEqual(
      b.received.slice(3).map(({ payloadType, payloadBytes }) => [payloadType, payloadBytes]),
      [[0, 320], ...Array(5).fill([101, 4])],
    );
    assertOrderly(b.received);
  });

  it('sends nothing to a leg on hold, and its stream goes on in time afterwards', async () => {
    const [a, b] = await callTwo();
    const talk = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n++) {
        await a.send({ payload: speech(1, n) });
        await b.send({ payload: speech(2, n) });
        await bench.slots(1);
      }
    };
    await talk(0, 5);
    await bench.execute(b.negotiation('b', { direction: 'inactive' }));
    // Until then its packets were on their way.
    await bench.slots(inFlightSlots);
    await talk(5, 15);
    assert.equal(b.received.length, 5);
    await bench.execute(b.negotiation('b', { direction: 'sendonly' }));
    await talk(15, 20);
    await bench.execute(b.negotiation('b'));
    await talk(20, 25);
    assert.deepEqual(
      loud(b),
      [0, 1, 2, 3, 4, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24].map((n) => speech(1, n)),
    );
    const [, , , , last, resumed] = b.received;
    assert.equal((resumed!.timestamp - last!.timestamp) >>> 0, (11 + inFlightSlots) * 160);
    assertOrderly(b.received);
    assert.ok(loud(a).length === 10, 'a leg on hold is not heard');
  });

  it('keeps its stream through a new source, a jump in time, a pause and a restart of the sequence', async () => {
    const [a, b] = await callTwo();
    const changes: ((phone: TestPhone) => void)[] = [
      (phone) => {
        phone.timestamp = (phone.timestamp + 123_456_789) >>> 0;
      },
      (phone) => {
        phone.timestamp = (phone.timestamp + 5 * 8000) >>> 0;
      },
      (phone) => {
        phone.sequenceNumber = (phone.sequenceNumber + 20_000) & 0xffff;
      },
      (phone) => {
        Object.assign(phone, { ssrc: 77, sequenceNumber: 5, timestamp: 5 });
      },
    ];
    for (const change of changes) {
      for (let n = 0; n < 5; n++) {
        await a.send({ payload: speech(1, n) });
        await bench.slots(1);
      }
      change(a);
    }
    await bench.slots(60);
    assert.ok(b.received.slice(-20).every(isSilent), 'a silent source becomes silence');
    await a.send({ payload: speech(1, 9) });
    await bench.slots(1);
    const resumed = b.received.findLastIndex((packet) => !isSilent(packet));
    assert.equal(b.received[resumed]!.marker, true);
    assert.equal(loud(b).length, 21);
    assertOrderly(b.received);
    const spanSlots = ((b.received[resumed]!.timestamp - b.received[0]!.timestamp) >>> 0) / 160;
    assert.ok(Math.abs(spanSlots - 80) <= 2, `${spanSlots} slots`);
  });

  it('makes one orderly stream of whatever comes', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    let state = 11;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const leave = (legId: string) => bench.execute({ verb: 'room.leave', legId });
    const actions: ((n: number) => Promise<unknown>)[] = [
      async () => a.press(String(below(10)), { durationMs: 40 + below(200) }),
      () => leave(['a', 'b'][below(2)]!),
      async () => {
        for (const legId of ['a', 'b']) if (!bench.executor.legs.get(legId).stay) await join(legId);
      },
      (n) => {
        const samples = new Int16Array(below(2000));
        const overRoom = below(2) ? 'mix' : 'replace';
        return bench.execute({
          verb: 'play.start',
          legId: 'b',
          playId: `${n}`,
          samples,
          rateHz: 8000,
          overRoom,
        });
      },
      (n) =>
        bench.execute({
          verb: 'digits.send',
          legId: 'b',
          digitsId: `${n}`,
          digits: `${below(10)}w#`.slice(below(2)),
          durationMs: 40 + below(100),
          gapMs: 20 + below(50),
        }),
      () =>
        bench.execute(
          b.negotiation('b', {
            direction: below(3) ? 'sendrecv' : 'inactive',
            ptimeMs: [10, 20, 30, 60][below(4)],
            ...(below(2) ? {} : { receive: [pcma], send: pcma }),
          }),
        ),
      async () => Object.assign(a, { ssrc: below(2 ** 32), timestamp: below(2 ** 32) }),
      async () => {
        a.timestamp = (a.timestamp + below(60_000)) >>> 0;
      },
      () => bench.slots(below(40)),
    ];
    for (let n = 0; n < 600; n++) {
      if (below(4) === 0) await actions[below(actions.length)]!(n).catch(() => undefined);
      if (below(5) > 0) await a.send({ payload: speech(1, n, [80, 160, 160, 240][below(4)]) });
      bench.clock.advanceMs(below(8) * 5);
    }
    await bench.slots(0);
    assert.ok(b.received.length > 500);
    assertOrderly(b.received);
  });

  it('counts on past the wraps of sequence and time', () => {
    const numbers: number[] = [];
    const times: number[] = [];
    const bytes = new Uint8Array(rtpHeaderBytes + 160);
    const view = new DataView(bytes.buffer);
    const port: TransportPort = {
      port: 4000,
      reserve: () => bytes,
      commit: () => {
        numbers.push(view.getUint16(2));
        times.push(view.getUint32(4));
      },
      close: () => undefined,
    };
    const sender = new RtpSender(port);
    sender.setFormat(pcma, 20);
    const relay = new Relay(sender);
    const packet = {
      ssrc: 1,
      sequenceNumber: toSequenceNumber(65_000),
      rtpTime: toRtpTimestamp(2 ** 32 - 1_000_000),
      marker: false,
      payload: new Uint8Array(160),
    } satisfies RelayedPacket;
    const count = 140_000;
    for (let n = 0; n < count; n++) {
      relay.audio(packet, 8, 160, '192.0.2.1', 5000);
      packet.sequenceNumber = toSequenceNumber(packet.sequenceNumber + 1);
      packet.rtpTime = toRtpTimestamp(packet.rtpTime + 160);
      assert.equal(relay.holdsSlot(), true);
      sender.skip(1);
    }
    assert.equal(numbers.length, count);
    assert.ok(numbers.every((number, n) => n === 0 || ((number - numbers[n - 1]!) & 0xffff) === 1));
    assert.ok(times.every((time, n) => n === 0 || (time - times[n - 1]!) >>> 0 === 160));
  });

  it('sends nothing from before its beginning: those numbers are taken', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    await join('b');
    await bench.slots(3);
    await join('a');
    a.sequenceNumber = (a.sequenceNumber + 1) & 0xffff;
    a.timestamp = (a.timestamp + 160) >>> 0;
    await a.send({ payload: speech(1, 1) });
    a.sequenceNumber = (a.sequenceNumber - 2) & 0xffff;
    a.timestamp = (a.timestamp - 320) >>> 0;
    await a.send({ payload: speech(1, 0) });
    await bench.slots(1);
    assert.deepEqual(loud(b), [speech(1, 1)]);
    assertOrderly(b.received);
  });
});
