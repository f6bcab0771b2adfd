import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decoder } from '../codec/codec.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { Playout } from './playout.ts';
import { initialDelayFrames } from './playout-delay.ts';

/** 20 ms at a rate, every sample the payload's only byte. */
function constantDecoder(rateHz: number): Decoder {
  return {
    rateHz,
    decode([value = 0], out) {
      out.fill(value, 0, rateHz / 50);
      return rateHz / 50;
    },
  };
}

const narrow = { clockRateHz: 8000, rateHz: 8000 } as const;
const wide = { clockRateHz: 8000, rateHz: 16_000 } as const;

const packet = (n: number, payload = Uint8Array.of(n + 1)) => ({
  ssrc: 1,
  sequenceNumber: toSequenceNumber(n),
  rtpTime: toRtpTimestamp(n * 160),
  payload,
});

describe('Playout', () => {
  it('plays the former codec to its end while the new one fills its buffer', () => {
    const playout = new Playout();
    const heard: string[] = [];
    for (let n = 0; n < 12; n++) {
      if (n < 6) playout.put(packet(n), narrow, constantDecoder(8000));
      else playout.put(packet(n), wide, constantDecoder(16_000));
      playout.take();
      if (playout.frame) heard.push(`${playout.frame[0]}@${playout.rateHz / 1000}:${playout.frame.length}`);
    }
    const expected = Array.from({ length: 12 - initialDelayFrames }, (_, n) =>
      n < 6 ? `${n + 1}@8:160` : `${n + 1}@16:320`,
    );
    assert.deepEqual(heard, expected);
  });

  it('keeps the slot before, where it is of the same rate', () => {
    const playout = new Playout();
    for (let n = 0; n < 4; n++) playout.put(packet(n), narrow, constantDecoder(8000));
    for (let slot = 0; slot < initialDelayFrames + 2; slot++) playout.take();
    assert.deepEqual([playout.previousFrame?.[0], playout.frame?.[0]], [1, 2]);
    for (let n = 4; n < 8; n++) playout.put(packet(n), wide, constantDecoder(16_000));
    for (let slot = 0; slot < 3; slot++) playout.take();
    assert.equal(playout.frame?.length, 320);
    assert.equal(playout.previousFrame, undefined);
  });

  it('adds up the counters of its buffers, and forgets what waits', () => {
    const playout = new Playout();
    for (const n of [0, 2]) playout.put(packet(n), narrow, constantDecoder(8000));
    for (let slot = 0; slot < initialDelayFrames + 3; slot++) playout.take();
    assert.equal(playout.counters.concealedMs, 20);
    playout.put(packet(3), wide, constantDecoder(16_000));
    assert.equal(playout.counters.concealedMs, 20);
    assert.equal(playout.active, true);
    playout.clear();
    assert.equal(playout.active, false);
    playout.take();
    assert.equal(playout.frame, undefined);
  });
});
