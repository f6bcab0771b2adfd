import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latenessBoundsUs, TickHistogram } from './tick-histogram.ts';

test('a bucket holds what is later than the bound below it, up to its own; the last one all that is later', () => {
  const histogram = new TickHistogram();
  const last = latenessBoundsUs.length;
  for (const us of [0, 50, 51, 1_000_000, 1_000_001, 60_000_000]) histogram.add(us);
  const filled = histogram.counts.flatMap((count, bucket) => (count > 0 ? [[bucket, count]] : []));
  assert.deepEqual(filled, [
    [0, 2],
    [1, 1],
    [last - 1, 1],
    [last, 2],
  ]);
  assert.equal(histogram.sumUs, 62_000_102);
  assert.deepEqual(
    latenessBoundsUs.toSorted((a, b) => a - b),
    latenessBoundsUs,
  );
});
