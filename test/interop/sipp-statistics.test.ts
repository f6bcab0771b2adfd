import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSippStatistics } from './sipp-statistics.ts';

test('the totals of the last row count', () => {
  const csv = [
    'StartTime;TotalCallCreated;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C);',
    'a;5;2;2;0;0;',
    'b;10;6;8;2;3;',
    '',
  ].join('\n');
  assert.deepEqual(parseSippStatistics(csv), { created: 10, successful: 8, failed: 2, retransmissions: 3 });
});

test('without a row nothing was done', () => {
  assert.deepEqual(parseSippStatistics(''), { created: 0, successful: 0, failed: 0, retransmissions: 0 });
});
