import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsText } from './metrics-text.ts';

test('Prometheus text: help, type, labels, and what must be escaped', () => {
  const text = metricsText([
    { name: 'calls', type: 'gauge', help: 'Calls that go on.', samples: [{ value: 2 }] },
    {
      ...{ name: 'lost_total', type: 'counter', help: 'One\\two\nlines.' },
      samples: [
        { labels: { worker: 'w1', path: 'a"b\\c\nd' }, value: 0.5 },
        { labels: {}, value: Number.POSITIVE_INFINITY },
        { labels: { of: '' }, value: Number.NaN },
      ],
    },
    { name: 'nothing', type: 'gauge', help: 'Left out.', samples: [] },
  ]);
  assert.equal(
    text,
    [
      '# HELP calls Calls that go on.',
      '# TYPE calls gauge',
      'calls 2',
      '# HELP lost_total One\\\\two\\nlines.',
      '# TYPE lost_total counter',
      'lost_total{worker="w1",path="a\\"b\\\\c\\nd"} 0.5',
      'lost_total +Inf',
      'lost_total{of=""} NaN',
      '',
    ].join('\n'),
  );
  assert.equal(metricsText([]), '');
});
