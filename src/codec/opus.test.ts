import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createOpusDecoder, createOpusEncoder, opusMaxPacketMs } from './opus.ts';

const frequencyHz = 440;

function sine(rateHz: number, firstSample: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * (firstSample + i)) / rateHz)),
  );
}

function encodeTone(packets: number, ptimeMs = 20): Uint8Array[] {
  const encoder = createOpusEncoder(48_000);
  const samples = 48 * ptimeMs;
  const out = new Uint8Array(4000);
  return Array.from({ length: packets }, (_, i) =>
    out.slice(0, encoder.encode(sine(48_000, i * samples, samples), out)),
  );
}

function upwardZeroCrossings(samples: Int16Array): number {
  let crossings = 0;
  for (let i = 1; i < samples.length; i++) if (samples[i - 1]! < 0 && samples[i]! >= 0) crossings++;
  return crossings;
}

describe('decoder', () => {
  for (const rateHz of [8000, 16_000, 48_000]) {
    test(`gives 20 ms at ${rateHz} Hz for each packet, and the tone that was coded`, () => {
      const decoder = createOpusDecoder(rateHz);
      assert.equal(decoder.rateHz, rateHz);
      const out = new Int16Array((rateHz * opusMaxPacketMs) / 1000);
      const track: number[] = [];
      for (const payload of encodeTone(60)) {
        assert.equal(decoder.decode(payload, out), rateHz / 50);
        track.push(...out.subarray(0, rateHz / 50));
      }
      const lastSecond = Int16Array.from(track.slice(-rateHz));
      assert.ok(Math.abs(upwardZeroCrossings(lastSecond) - frequencyHz) <= 1);
      const rms = Math.sqrt(lastSecond.reduce((sum, s) => sum + s * s, 0) / rateHz);
      assert.ok(Math.abs(20 * Math.log10((rms * Math.SQRT2) / 8000)) < 1, `${rms}`);
    });
  }

  test('follows packets of other lengths', () => {
    const decoder = createOpusDecoder(16_000);
    const out = new Int16Array(16 * opusMaxPacketMs);
    assert.equal(decoder.decode(encodeTone(1, 60)[0]!, out), 960);
    assert.equal(decoder.decode(encodeTone(1, 10)[0]!, out), 160);
  });

  test('a rate libopus does not know falls back to 48 kHz', () => {
    assert.equal(createOpusDecoder(44_100).rateHz, 48_000);
  });

  test('hostile payloads give nothing and leave the decoder usable', () => {
    const decoder = createOpusDecoder(8000);
    const out = new Int16Array(960);
    const bad = [
      new Uint8Array(0),
      new Uint8Array(5).fill(255),
      new Uint8Array(9000),
      new Uint8Array(2000).fill(255),
    ];
    for (const payload of bad) assert.equal(decoder.decode(payload, out), 0);
    assert.equal(decoder.decode(encodeTone(1)[0]!, out), 160);
  });

  test('never writes past the end of `out`', () => {
    const out = new Int16Array(100);
    assert.equal(createOpusDecoder(8000).decode(encodeTone(1)[0]!, out), 100);
  });
});
