import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringingCadence } from '../audio/ringing-tone.ts';
import { silentLogger } from '../logger.ts';
import { Prompts } from './prompts.ts';
import type { Prompt } from './verb.ts';

const { signal } = new AbortController();
const spoken = Int16Array.of(1, 2, 3);
const fetched = Int16Array.of(4, 5, 6);
const prompts = new Prompts({
  textToSpeech: {
    speak: async () => ({ samples: spoken, warnings: [], rateHz: 8000, voice: 'kal' }) as never,
  },
  audioSource: { load: async () => ({ samples: fetched, rateHz: 8000 }) },
  log: silentLogger,
});

async function partsOf(prompt: Prompt, most = Number.POSITIVE_INFINITY): Promise<Int16Array[]> {
  const parts: Int16Array[] = [];
  for await (const part of prompts.parts(prompt, signal)) {
    parts.push(part);
    if (parts.length >= most) break;
  }
  return parts;
}

test('a text is spoken, a URL fetched', async () => {
  assert.deepEqual(await partsOf({ kind: 'text', text: 'Hello.' }), [spoken]);
  assert.deepEqual(await partsOf({ kind: 'url', url: 'http://127.0.0.1/' }), [fetched]);
});

test('silence is as long as was asked for, to the sample', async () => {
  const parts = await partsOf({ kind: 'silence', durationMs: 45_001 });
  assert.equal(
    parts.reduce((sum, { length }) => sum + length, 0),
    45_001 * 8,
  );
  assert.ok(parts.every((part) => part.every((sample) => sample === 0)));
});

test('a ringing tone ends in the midst of a period', async () => {
  const [first, second, ...others] = await partsOf({ kind: 'ring', durationMs: 7000, country: 'us' });
  const period = ringingCadence('us', 8000);
  assert.deepEqual([first, second, others.length], [period, period.subarray(0, 8000), 0]);
});

test('what lasts for ever is made a part at a time', async () => {
  const parts = await partsOf({ kind: 'ring', durationMs: Number.POSITIVE_INFINITY, country: 'de' }, 3);
  assert.deepEqual(
    parts,
    Array.from({ length: 3 }, () => ringingCadence('de', 8000)),
  );
});

test('nothing is no part', async () =>
  assert.deepEqual(await partsOf({ kind: 'silence', durationMs: 0 }), []));

test('a tune begins anew when it has come to its end', async () => {
  const parts = await partsOf({ kind: 'tune', tune: 1, durationMs: 30_000 });
  const [first, second] = parts;
  assert.ok(first && second);
  assert.equal(
    parts.reduce((sum, { length }) => sum + length, 0),
    30_000 * 8,
  );
  assert.deepEqual(first.subarray(0, 100), second.subarray(0, 100));
  assert.ok(first.some((sample) => Math.abs(sample) > 1000));
});
