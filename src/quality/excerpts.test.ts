import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Excerpts } from './excerpts.ts';

/** Which seconds of a signal are analysed, by the number of each, and where an excerpt ends. */
function analysed(seconds: number, rateHz: number, chunk: number): { seconds: number[]; ends: number } {
  const heard = new Map<number, number>();
  let ends = 0;
  const excerpts = new Excerpts(rateHz, {
    excerpt(samples, start, end) {
      for (let i = start; i < end; i++) heard.set(samples[i]!, (heard.get(samples[i]!) ?? 0) + 1);
    },
    endExcerpt: () => ends++,
  });
  const samples = Int16Array.from({ length: seconds * rateHz }, (_, i) => Math.floor(i / rateHz) * 10);
  for (let at = 0; at < samples.length; at += chunk)
    excerpts.push(samples, at, Math.min(samples.length, at + chunk));
  const whole = [...heard].filter(([, count]) => count > 7000).map(([value]) => value / 10);
  return { seconds: whole.sort((a, b) => a - b), ends };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

for (const chunk of [160, 12_345, 1e9])
  test(`two minutes whole, then ten seconds of each minute, ${chunk} samples at a time`, () => {
    const { seconds, ends } = analysed(260, 8000, chunk);
    assert.deepEqual(seconds, [...range(0, 130), ...range(180, 190), ...range(240, 250)]);
    assert.equal(ends, 15);
  });

test('other rates are brought to 8 kHz', () => {
  const { seconds } = analysed(25, 16_000, 320);
  assert.deepEqual(seconds, range(0, 25));
  const heard: number[] = [];
  const excerpts = new Excerpts(48_000, {
    excerpt: (samples, start, end) => heard.push(...samples.subarray(start, end)),
    endExcerpt: () => {},
  });
  const tone = Int16Array.from({ length: 48_000 }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * 1000 * i) / 48_000)),
  );
  excerpts.push(tone, 0, tone.length);
  assert.ok(heard.length > 7900 && heard.length <= 8000);
  for (let i = 500; i < 1500; i++)
    assert.ok(Math.abs(heard[i]! - 10_000 * Math.sin((2 * Math.PI * 1000 * i) / 8000)) < 30);
});
