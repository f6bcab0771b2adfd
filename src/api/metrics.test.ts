import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleStats as idle } from '../media/test-worker-stats.ts';
import { formatMetrics } from './metrics.ts';

test('each worker stands under its number, and buckets of a histogram hold those below them', () => {
  const counts = [...idle.latenessCounts];
  counts[0] = 900;
  counts[1] = 90;
  counts[counts.length - 1] = 10;
  const text = formatMetrics({
    calls: { calls: 4, conferences: 1, unfinishedConversations: 2 },
    workers: [
      idle,
      { ...idle, legs: 7, receivedPackets: 12, latenessCounts: counts, latenessSumUs: 10_500_000 },
    ],
  });
  const lines = text.split('\n');
  assert.equal(lines.pop(), '');
  for (const line of lines)
    assert.match(line, /^(# (HELP|TYPE) callreel_[a-z_]+ .+|callreel_[a-z_]+(\{[^}]+\})? [\d.]+)$/);
  for (const line of [
    'callreel_calls 4',
    'callreel_media_legs{worker="1"} 0',
    'callreel_media_legs{worker="2"} 7',
    '# TYPE callreel_media_received_packets_total counter',
    'callreel_media_received_packets_total{worker="2"} 12',
    'callreel_media_tick_lateness_seconds_bucket{worker="2",le="0.00005"} 900',
    'callreel_media_tick_lateness_seconds_bucket{worker="2",le="1"} 990',
    'callreel_media_tick_lateness_seconds_bucket{worker="2",le="+Inf"} 1000',
    'callreel_media_tick_lateness_seconds_sum{worker="2"} 10.5',
    'callreel_media_tick_lateness_seconds_count{worker="2"} 1000',
  ])
    assert.ok(lines.includes(line), line);
});
