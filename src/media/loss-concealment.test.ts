import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decoder } from '../codec/codec.ts';
import { LossConcealment } from './loss-concealment.ts';
import { amplitudeAt } from './test-voice.ts';

const rateHz = 8000;

/** Packet `n` of an endless tone: its payload is its number. */
const toneDecoder: Decoder = {
  rateHz,
  decode([n = 0], out) {
    for (let i = 0; i < 160; i++) out[i] = 8000 * Math.sin((2 * Math.PI * 400 * (n * 160 + i)) / rateHz);
    return 160;
  },
};
const packet = (n: number): Uint8Array => Uint8Array.of(n);

function joined(parts: Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

describe('LossConcealment', () => {
  it('goes on with the voice, and comes back to it without a step', () => {
    const stream = new LossConcealment(rateHz, 1920);
    const parts: Int16Array[] = [];
    const decode = (n: number) => {
      const samples = stream.decode(packet(n), toneDecoder);
      parts.push(stream.samples.slice(0, samples));
    };
    for (let n = 0; n < 5; n++) decode(n);
    assert.equal(stream.conceal(160, packet(6)), 160);
    parts.push(stream.samples.slice(0, 160));
    for (let n = 6; n < 9; n++) decode(n);
    assert.ok(amplitudeAt(parts[5]!, 400, rateHz) > 5000);
    const all = joined(parts);
    const steepest = (8000 * 2 * Math.PI * 400) / rateHz;
    for (let i = 1; i < all.length; i++)
      assert.ok(Math.abs(all[i]! - all[i - 1]!) < 1.3 * steepest, `a step at ${i}`);
  });

  it('leaves a stream without losses as it was decoded', () => {
    const stream = new LossConcealment(rateHz, 1920);
    const expected = new Int16Array(160);
    for (let n = 0; n < 10; n++) {
      toneDecoder.decode(packet(n), expected);
      assert.equal(stream.decode(packet(n), toneDecoder), 160);
      assert.deepEqual(stream.samples.slice(0, 160), expected);
    }
  });

  it('makes up 60 ms at most, 20 ms at once, and nothing before the first packet or after a reset', () => {
    const stream = new LossConcealment(rateHz, 1920);
    assert.equal(stream.conceal(160, packet(0)), 0);
    stream.decode(packet(0), toneDecoder);
    const made = [8000, 7840, 7680, 7520].map((gap) => stream.conceal(gap, packet(1)));
    assert.deepEqual(made, [160, 160, 160, 0]);
    stream.decode(packet(1), toneDecoder);
    stream.reset();
    assert.equal(stream.conceal(160, packet(0)), 0);
  });
});
