import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Saturation, shortcomingsOf } from './shortcomings.ts';

const good: Saturation = {
  ...{
    callsHeld: 300,
    recordings: 300,
    refused: 2,
    retryAfterSeconds: [10, 10],
    optionsRetryAfterSeconds: 10,
  },
  ...{ shortages: ['late'], failures: 0, gapSamples: 0, lostPackets: 0, wrongPackets: 0 },
  ...{ reorderedPackets: 0, notRelayedBefore: 10, placedApartMs: 15 },
  ...{ overflows: 0, sendsFailed: 0 },
};

test('a node that refused in time has no shortcoming, whether OPTIONS found it full or not any more', () => {
  assert.deepEqual(shortcomingsOf(good), []);
  assert.deepEqual(shortcomingsOf({ ...good, optionsRetryAfterSeconds: undefined }), []);
});

test('each thing that is wrong is a shortcoming by itself', () => {
  const wrongs: Partial<Saturation>[] = [
    { refused: 0, retryAfterSeconds: [], shortages: [] },
    { shortages: [] },
    { retryAfterSeconds: [10, undefined] },
    { optionsRetryAfterSeconds: Number.NaN },
    ...[{ failures: 1 }, { recordings: 299 }, { gapSamples: 160 }, { lostPackets: 1 }, { wrongPackets: 1 }],
    ...[{ reorderedPackets: 1 }, { notRelayedBefore: 11 }, { placedApartMs: 16 }],
    ...[{ overflows: 1 }, { sendsFailed: 1 }],
  ];
  for (const wrong of wrongs)
    assert.equal(shortcomingsOf({ ...good, ...wrong }).length, 1, JSON.stringify(wrong));
});
