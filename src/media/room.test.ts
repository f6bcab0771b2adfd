import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from '../codec/g711.ts';
import type { RtpPacketView } from '../rtp/packet.ts';
import { initialDelayFrames } from './playout-delay.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';

const silence = new Uint8Array(160).fill(0xff);

/** A frame of mu-law codes, never silence, that tells who sent it and when. */
function speech(seed: number, n: number): Uint8Array {
  return Uint8Array.from({ length: 160 }, (_, i) => 1 + ((seed * 31 + n * 7 + i * 3) % 120));
}

function decoded(payload: Uint8Array): Int16Array {
  const samples = new Int16Array(payload.length);
  decodeUlaw(payload, samples);
  return samples;
}

function encodedSum(...payloads: Uint8Array[]): Uint8Array {
  const frames = payloads.map(decoded);
  const sum = Int16Array.from({ length: 160 }, (_, i) => {
    const total = frames.reduce((samples, frame) => samples + frame[i]!, 0);
    return Math.max(-32768, Math.min(32767, total));
  });
  const out = new Uint8Array(160);
  encodeUlaw(sum, out);
  return out;
}

function payloads(phone: TestPhone): Uint8Array[] {
  return phone.received.map((packet) => packet.payload());
}

/** What follows the silence at the beginning. */
function heard(phone: TestPhone): Uint8Array[] {
  const all = payloads(phone);
  return all.slice(all.findIndex((payload) => Buffer.compare(payload, silence) !== 0));
}

describe('Room', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  it('gives each of two parties exactly the samples of the other', async () => {
    const a = await bench.call('a');
    const b = await bench.call('b');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    for (let n = 0; n < 30; n++) {
      await a.send({ payload: speech(1, n) });
      await b.send({ payload: speech(2, n) });
      await bench.slots(1);
    }
    const whole = 30 - initialDelayFrames;
    assert.deepEqual(
      heard(a),
      Array.from({ length: whole }, (_, n) => speech(2, n)),
    );
    assert.deepEqual(
      heard(b),
      Array.from({ length: whole }, (_, n) => speech(1, n)),
    );
  });

  it('gives each of three parties the sum of the other two, and a silent one all three', async () => {
    const speakers = await Promise.all(['a', 'b', 'c'].map((legId) => bench.call(legId)));
    const listener = await bench.call('d');
    for (const legId of ['a', 'b', 'c', 'd']) await bench.join(legId, 'room');
    for (let n = 0; n < 12; n++) {
      for (const [i, phone] of speakers.entries()) await phone.send({ payload: speech(i, n) });
      await bench.slots(1);
    }
    for (let n = 0; n < 8; n++) {
      const frames = [0, 1, 2].map((i) => speech(i, n));
      for (const [i, phone] of speakers.entries())
        assert.deepEqual(heard(phone)[n], encodedSum(...frames.filter((_, other) => other !== i)));
      assert.deepEqual(heard(listener)[n], encodedSum(...frames));
    }
  });

  it("speaks each party's own codec", async () => {
    const ulaw = await bench.call('a');
    const alaw = await bench.call('b', { send: { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 } });
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    for (let n = 0; n < 10; n++) {
      await ulaw.send({ payload: speech(1, n) });
      await alaw.send({ payload: speech(2, n), payloadType: 8 });
      await bench.slots(1);
    }
    const expectedAlaw = new Uint8Array(160);
    encodeAlaw(decoded(speech(1, 0)), expectedAlaw);
    const samples = new Int16Array(160);
    decodeAlaw(speech(2, 0), samples);
    const expectedUlaw = new Uint8Array(160);
    encodeUlaw(samples, expectedUlaw);
    assert.deepEqual(payloads(alaw)[initialDelayFrames], expectedAlaw);
    assert.equal(alaw.received[0]?.payloadType, 8);
    assert.deepEqual(heard(ulaw)[0], expectedUlaw);
  });

  it('keeps sending silence in a silent room and to a lone party', async () => {
    const phone = await bench.call('a');
    await bench.join('a', 'room');
    for (let n = 0; n < 5; n++) {
      await phone.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    await bench.slots(10);
    assert.equal(phone.received.length, 15);
    assert.ok(payloads(phone).every((payload) => Buffer.compare(payload, silence) === 0));
    assertContinuous(phone.received);
  });

  it('does not let a party be heard after it left, nor in another room', async () => {
    const a = await bench.call('a');
    const b = await bench.call('b');
    const elsewhere = await bench.call('c');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.join('c', 'other room');
    for (let n = 0; n < 10; n++) {
      if (n === 5) await bench.execute({ verb: 'room.leave', legId: 'a' });
      await a.send({ payload: speech(1, n) });
      await bench.slots(1);
    }
    const loud = payloads(b).filter((payload) => Buffer.compare(payload, silence) !== 0);
    assert.deepEqual(
      loud,
      [0, 1, 2].map((n) => speech(1, n)),
    );
    assert.ok(payloads(elsewhere).every((payload) => Buffer.compare(payload, silence) === 0));
    for (const phone of [a, b, elsewhere]) assertContinuous(phone.received);
  });

  it('neither hears nor feeds a party that negotiated inactive, and its stream goes on in time', async () => {
    const a = await bench.call('a');
    const b = await bench.call('b');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.slots(2);
    await bench.execute(b.negotiation('b', { direction: 'inactive' }));
    for (let n = 0; n < 5; n++) {
      await b.send({ payload: speech(2, n) });
      await bench.slots(1);
    }
    assert.equal(b.received.length, 2);
    await bench.execute(b.negotiation('b'));
    await bench.slots(2);
    assert.equal(b.received.length, 4);
    const [, last, resumed] = b.received;
    assert.equal((resumed!.timestamp - last!.timestamp) >>> 0, 6 * 160);
    assert.equal(resumed!.marker, true);
    assert.ok(payloads(a).every((payload) => Buffer.compare(payload, silence) === 0));
    assert.equal(bench.capture.packets.length, 0);
  });
});

function assertContinuous(packets: RtpPacketView[]): void {
  for (const [i, packet] of packets.entries()) {
    assert.equal(packet.sequenceNumber, (packets[0]!.sequenceNumber + i) & 0xffff);
    assert.equal(packet.timestamp, (packets[0]!.timestamp + i * 160) >>> 0);
    assert.equal(packet.marker, i === 0);
  }
}
