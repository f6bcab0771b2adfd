import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUlaw } from '../../src/codec/g711.ts';
import { wavHeader } from '../../src/container/wav.ts';
import { noise } from '../../src/testkit/noise.ts';
import { assertLength, noFindings, verifyFile } from './recorded-calls.ts';
import { packetSamples, StreamAudio } from './stream-audio.ts';

const ulaw = new Uint8Array(100 * packetSamples);
encodeUlaw(noise({ samples: ulaw.length, seed: 5 }), ulaw);
const audio = new StreamAudio(ulaw);
const packets = 50;

/** Stereo, of two streams from their first packet on, each behind so many samples of silence. */
function stereo(leading: readonly [number, number]): Uint8Array {
  const frames = Math.max(...leading) + packets * packetSamples;
  const samples = new Int16Array(2 * frames);
  for (const [side, silence] of leading.entries())
    for (let i = 0; i < packets * packetSamples; i++) {
      const place = (audio.placeOf(side, 0) + i) % audio.samples.length;
      samples[2 * (silence + i) + side] = audio.samples[place]!;
    }
  const data = Buffer.from(samples.buffer);
  return Buffer.concat([wavHeader({ rateHz: 8000, channels: 2, dataBytes: data.length }), data]);
}

function apartMs(leading: readonly [number, number], firstDueUs: number[]): number {
  const findings = noFindings();
  const totals = {
    sent: [packets, packets],
    received: [0, 0],
    firstDueUs,
    notRelayed: 0,
    notRelayedBefore: 0,
  };
  verifyFile(findings, stereo(leading), [0, 1], audio, totals);
  assert.deepEqual([findings.gapSamples, findings.lostPackets], [0, 0]);
  return findings.placedApartMs;
}

test('the sides of a recording lie as far from each other as they were sent', () => {
  assert.equal(apartMs([80, 240], [5_000_000, 5_020_000]), 0);
  assert.equal(apartMs([80, 240], [5_000_000, 5_000_000]), 20);
  assert.equal(apartMs([8080, 240], [5_000_000, 5_020_000]), 1000);
});

test('a file is as long as its recording', () => {
  assertLength(new Int16Array(8004), 1000);
  assert.throws(() => assertLength(new Int16Array(8016), 1000), assert.AssertionError);
  assert.throws(() => assertLength(new Int16Array(0), 1000), assert.AssertionError);
});
