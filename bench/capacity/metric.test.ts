import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricSum } from './metric.ts';

test('a metric over all its labels, and no other one', () => {
  const metrics = [
    '# TYPE callreel_spool_overflows_total counter',
    'callreel_spool_overflows_total{worker="w1"} 2',
    'callreel_spool_overflows_total{worker="w2"} 3',
    'callreel_spool_overflows_total_of_old 7',
    'callreel_calls 4',
  ].join('\n');
  assert.equal(metricSum(metrics, 'callreel_spool_overflows_total'), 5);
  assert.equal(metricSum(metrics, 'callreel_calls'), 4);
});
