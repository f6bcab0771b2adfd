import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latenessMs, readTicks } from './tick-lateness.ts';

function metrics(...buckets: [string, string, number][]): string {
  const lines = buckets.map(
    ([worker, bound, count]) =>
      `callreel_media_tick_lateness_seconds_bucket{worker="${worker}",le="${bound}"} ${count}`,
  );
  return ['# TYPE callreel_media_tick_lateness_seconds histogram', ...lines, 'callreel_calls 3', ''].join(
    '\n',
  );
}

test('the lateness between two readings, over all workers', () => {
  const before = readTicks(metrics(['w1', '0.001', 50], ['w1', '0.005', 60], ['w1', '+Inf', 100]));
  const after = readTicks(
    metrics(
      ...([
        ['w1', '0.001', 1000],
        ['w1', '0.005', 1050],
        ['w1', '+Inf', 1090],
      ] as [string, string, number][]),
      ...([
        ['w2', '0.001', 0],
        ['w2', '0.005', 10],
        ['w2', '+Inf', 10],
      ] as [string, string, number][]),
    ),
  );
  assert.equal(latenessMs(before, after, 0.9), 1);
  assert.equal(latenessMs(before, after, 0.96), 5);
  assert.equal(latenessMs(before, after, 1), 5);
  assert.ok(Number.isNaN(latenessMs(after, after, 0.9)));
});
