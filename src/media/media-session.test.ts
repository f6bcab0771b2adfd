import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaBench } from './test-bench.ts';
import { TestPhone } from './test-phone.ts';

const speech = (fill: number): Uint8Array => new Uint8Array(160).fill(fill);

describe('MediaSession', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  const capturedFills = (): (number | undefined)[] =>
    bench.capture.packets.map(({ packet }) => packet.payload[0]);

  it('hands every packet to the capture sink as it arrived, out of order and twice too', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    const first = phone.sequenceNumber;
    const time = phone.timestamp;
    await phone.send({ payload: speech(1) });
    phone.sequenceNumber = (first + 2) & 0xffff;
    phone.timestamp = (time + 320) >>> 0;
    await phone.send({ payload: speech(3), payloadType: 8 });
    for (let i = 0; i < 2; i++) {
      phone.sequenceNumber = (first + 1) & 0xffff;
      phone.timestamp = (time + 160) >>> 0;
      await phone.send({ payload: speech(2) });
    }
    await bench.slots(1);
    assert.deepEqual(capturedFills(), [1, 3, 2, 2]);
    const [{ packet }, second] = bench.capture.packets as [
      (typeof bench.capture.packets)[0],
      ...typeof bench.capture.packets,
    ];
    assert.equal(packet.codec, 'PCMU');
    assert.equal(packet.clockRateHz, 8000);
    assert.equal(packet.ssrc, phone.ssrc);
    assert.equal(packet.sequenceNumber, first);
    assert.equal(packet.rtpTime, time);
    assert.ok(packet.arrivalUs >= 2_000_000_000);
    assert.equal(second!.packet.codec, 'PCMA');
    assert.equal(second!.packet.payloadType, 8);
  });

  it('captures only between join and leave', async () => {
    const phone = await bench.call('a');
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    await bench.join('a', 'room');
    await phone.send({ payload: speech(2) });
    await bench.slots(1);
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await phone.send({ payload: speech(3) });
    await bench.slots(1);
    assert.deepEqual(capturedFills(), [2]);
  });

  it('tells once where the media of a leg comes from', async () => {
    const phone = await bench.call('a');
    assert.equal(bench.events.length, 0);
    for (let i = 0; i < 3; i++) await phone.send({ payload: speech(1) });
    await bench.slots(1);
    assert.deepEqual(bench.events, [
      { event: 'leg.media', legId: 'a', address: '127.0.0.1', port: phone.port },
    ]);
  });

  it('drops what is no RTP of this call quietly', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    await phone.sendRaw(new Uint8Array(0));
    await phone.sendRaw(new Uint8Array(500).fill(0x2b));
    const rtcpReceiverReport = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 1);
    await phone.sendRaw(rtcpReceiverReport);
    await phone.send({ payload: speech(1), payloadType: 96 });
    await phone.send({ payload: new Uint8Array(0) });
    await bench.slots(1);
    assert.equal(bench.capture.packets.length, 0);
    const { counters } = bench.executor.legs.get('a');
    assert.equal(counters.unknownPayloadTypes, 1);
  });

  it('lets no stray source in beside the peer', async () => {
    const phone = await bench.call('a');
    const stray = await TestPhone.open({ ssrc: 666 });
    stray.remotePort = phone.remotePort;
    await bench.join('a', 'room');
    await phone.send({ payload: speech(1) });
    await stray.send({ payload: speech(66) });
    await bench.slots(1);
    assert.deepEqual(capturedFills(), [1]);
    assert.equal(bench.executor.legs.get('a').counters.strayPackets, 1);
    assert.equal(stray.received.length, 0);
    await stray.close();
  });

  it('sends to where the media comes from, whatever was signalled', async () => {
    const phone = await bench.call('a', { remote: { address: '127.0.0.1', port: 9 } });
    await phone.send({ payload: speech(1) });
    await bench.slots(3);
    assert.equal(phone.received.length, 3);
  });

  it('sends silence before and between rooms, nothing while it knows nowhere to send', async () => {
    const known = await bench.call('a');
    const unknown = await bench.call('b', { remote: undefined, signallingAddress: '127.0.0.1' });
    await bench.slots(5);
    assert.equal(known.received.length, 5);
    assert.ok(known.received.every((packet) => packet.payload().every((byte) => byte === 0xff)));
    assert.equal(unknown.received.length, 0);
    await unknown.send({ payload: speech(1) });
    await bench.slots(5);
    assert.equal(unknown.received.length, 5);
  });

  it('sends nothing to a phone that holds the call by an unspecified address', async () => {
    const phone = await bench.call('a');
    await phone.send({ payload: speech(1) });
    await bench.slots(2);
    await bench.execute(phone.negotiation('a', { remote: { address: '0.0.0.0', port: phone.port } }));
    await bench.slots(5);
    assert.equal(phone.received.length, 2);
  });

  it('sends packets of the negotiated length', async () => {
    const phone = await bench.call('a', { ptimeMs: 60 });
    await bench.slots(6);
    assert.deepEqual(
      phone.received.map(({ payloadBytes }) => payloadBytes),
      [480, 480],
    );
  });

  it('reports a key press once, with its length, and captures it in the stay', async () => {
    const phone = await bench.call('a');
    await phone.press('5');
    await bench.slots(1);
    await bench.join('a', 'room');
    await phone.press('#', { durationMs: 240 });
    await bench.slots(1);
    const digits = bench.events.filter(({ event }) => event === 'leg.digit');
    assert.deepEqual(digits, [
      { event: 'leg.digit', legId: 'a', digit: '5', durationMs: 100 },
      { event: 'leg.digit', legId: 'a', digit: '#', durationMs: 240 },
    ]);
    assert.deepEqual(
      bench.capture.digits.map(({ digit }) => digit),
      ['#'],
    );
    assert.equal(bench.capture.packets.length, 0);
  });

  it('reports a key press whose end packets were all lost', async () => {
    const phone = await bench.call('a');
    await phone.press('7', { ends: 0 });
    await bench.slots(5);
    assert.equal(bench.events.filter(({ event }) => event === 'leg.digit').length, 0);
    await bench.slots(10);
    assert.deepEqual(bench.events.at(-1), { event: 'leg.digit', legId: 'a', digit: '7', durationMs: 80 });
  });

  it('reports a key press once that runs while its payload type changes, also where keys are no more agreed', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    const pressed = () => bench.events.filter(({ event }) => event === 'leg.digit').length;
    const changes = [{ payloadType: 96, clockRateHz: 8000 }, undefined];
    for (const [index, telephoneEvent] of changes.entries()) {
      const payloadType = index === 0 ? 101 : 96;
      const { timestamp } = phone;
      await phone.press('5', { ends: 0, payloadType });
      await bench.execute(phone.negotiation('a', { telephoneEvent }));
      phone.timestamp = timestamp;
      await phone.press('5', { durationMs: 160, payloadType });
      await bench.slots(1);
      assert.equal(pressed(), index + 1);
    }
    assert.deepEqual(
      bench.events.flatMap((event) => (event.event === 'leg.digit' ? [event.durationMs] : [])),
      [160, 160],
    );
  });

  it('captures what was on its way while the codec changed or the leg went to hold', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    const pcma = { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } as const;
    await phone.send({ payload: speech(1) });
    await bench.execute(phone.negotiation('a', { receive: [pcma], send: pcma }));
    await phone.send({ payload: speech(2) });
    await phone.send({ payload: speech(3), payloadType: 8 });
    await bench.slots(1);
    await bench.execute(phone.negotiation('a', { receive: [pcma], send: pcma, direction: 'inactive' }));
    await phone.send({ payload: speech(4), payloadType: 8 });
    await bench.slots(101);
    await phone.send({ payload: speech(5), payloadType: 8 });
    await bench.slots(1);
    assert.deepEqual(capturedFills(), [1, 2, 3, 4]);
    assert.deepEqual(
      bench.capture.packets.map(({ packet }) => packet.codec),
      ['PCMU', 'PCMU', 'PCMA', 'PCMA'],
    );
    assert.equal(bench.executor.legs.get('a').counters.unexpectedPackets, 1);
  });

  it('leaves the room by its key: the digit, the end of the stay, then the event', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room', { leaveKey: '*' });
    await phone.press('1');
    await bench.slots(1);
    assert.ok(bench.executor.legs.get('a').stay);
    await phone.press('*');
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    assert.equal(bench.executor.legs.get('a').stay, undefined);
    assert.deepEqual(bench.capture.calls.slice(-3), [
      'digit track-a 1',
      'digit track-a *',
      'stayClosed track-a',
    ]);
    assert.deepEqual(bench.events.at(-1), {
      event: 'stay.left',
      legId: 'a',
      trackId: 'track-a',
      roomId: 'room',
    });
    assert.equal(bench.capture.packets.length, 0);
    assert.equal(bench.events.filter(({ event }) => event === 'leg.digit').length, 2);
  });

  it('says once when a leg that sent media sends none any more, and again after it was heard', async () => {
    const phone = await bench.call('a', { inactivityTimeoutMs: 1000 });
    const inactive = () => bench.events.filter(({ event }) => event === 'leg.inactive');
    await bench.slots(100);
    assert.deepEqual(inactive(), [], 'it sent nothing before');
    await phone.send({ payload: speech(1) });
    await bench.slots(49);
    assert.deepEqual(inactive(), []);
    await bench.slots(51);
    assert.equal(inactive().length, 1);
    await phone.press('1');
    await bench.slots(30);
    await bench.execute(phone.negotiation('a', { inactivityTimeoutMs: 1000 }));
    await bench.slots(70);
    const [first, second, ...more] = inactive();
    assert.deepEqual(more, []);
    for (const event of [first, second]) {
      assert.ok(event?.event === 'leg.inactive' && event.silentMs >= 1000 && event.silentMs <= 1020);
      assert.equal(event.legId, 'a');
    }
  });

  it('expects no media while the leg is on hold, and waits anew afterwards', async () => {
    const phone = await bench.call('a', { inactivityTimeoutMs: 1000 });
    const renegotiate = (direction: 'sendrecv' | 'sendonly', inactivityTimeoutMs?: number) =>
      bench.execute(phone.negotiation('a', { direction, inactivityTimeoutMs }));
    const inactiveEvents = () => bench.events.filter(({ event }) => event === 'leg.inactive').length;
    await phone.send({ payload: speech(1) });
    await bench.slots(40);
    await renegotiate('sendonly', 1000);
    await bench.slots(100);
    await renegotiate('sendrecv', 1000);
    await bench.slots(45);
    assert.equal(inactiveEvents(), 0);
    await renegotiate('sendrecv');
    await bench.slots(100);
    assert.equal(inactiveEvents(), 0);
    await renegotiate('sendrecv', 1000);
    await bench.slots(1);
    assert.equal(inactiveEvents(), 1);
  });

  it('takes any bytes from the network without a throw', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    const session = bench.executor.legs.get('a');
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let i = 0; i < 20_000; i++) {
      const data = Uint8Array.from({ length: next(64) }, () => next(256));
      if (data.length > 1 && i % 4 > 0) {
        data[0] = 0x80 | (i % 4 === 3 ? next(64) : 0);
        data[1] = [0, 8, 101][next(3)]! | (next(2) << 7);
      }
      session.receive({ data, arrivalUs: i * 1000, sourceAddress: '127.0.0.1', sourcePort: phone.port });
      if (i % 20 === 0) session.takeSlot();
    }
    assert.ok(bench.capture.packets.length > 1000);
    assert.ok(bench.capture.digits.length > 0);
  });

  it('keeps the former agreement when a new one can not be had', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    const strange = { payloadType: 111, codec: 'PCMU', clockRateHz: 11_025 } as const;
    await assert.rejects(bench.execute(phone.negotiation('a', { receive: [strange], send: strange })), {
      code: 'NO_COMMON_CODEC',
    });
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    assert.deepEqual(capturedFills(), [1]);
  });
});
