import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type LoadReport, voidReason } from './load-generator.ts';
import { testLoadStreams } from './test-load-streams.ts';

test('a run is void where less than 99.9 % of the packets left in time, or none was to', () => {
  const report = { planned: 10_000, sent: 10_000, late: 10, latenessP999Us: 900 } as LoadReport;
  assert.equal(voidReason(report), undefined);
  assert.match(voidReason({ ...report, late: 11 })!, /^only 9989 of 10000 packets were sent in time/);
  assert.match(voidReason({ ...report, late: 0, sent: 9_989 })!, /^only 9989 of 10000/);
  assert.equal(voidReason({ ...report, planned: 0, sent: 0, late: 0 }), 'nothing was to be sent');
});

testLoadStreams({
  skip: spawnSync('cc', ['--version']).error ? 'no C compiler: test:interop installs one' : false,
});
