import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign } from './campaign.ts';
import { targets } from './target.ts';

/** Enough to feed the whole corpus, faults of the past among it, and a few seconds of changes to it. */
const executions: Readonly<Record<string, number>> = {
  sdp: 700,
  srtp: 300,
  codecs: 500,
  'jitter-buffer': 300,
  swml: 700,
  'user-agent': 400,
};
const usualExecutions = 2000;

for (const target of Object.keys(targets))
  test(`${target}: the corpus and a repeatable run of changes to it find nothing`, async () => {
    const report = await runCampaign({ target, seed: 1, executions: executions[target] ?? usualExecutions });
    // What costs time is for the long runs to judge: another's load must not fail this one.
    const faults = report.findings.filter(({ kind }) => kind !== 'slow');
    assert.deepEqual(
      faults.map(({ kind, message, input }) => ({
        ...{ kind, message },
        input: Buffer.from(input).toString('base64').slice(0, 2000),
      })),
      [],
    );
    assert.ok(report.executions >= (executions[target] ?? usualExecutions));
    const passed = report.coverage.reduce((sum, { branches }) => sum + branches.hit, 0);
    const all = report.coverage.reduce((sum, { branches }) => sum + branches.all, 0);
    const least = target === 'user-agent' ? 0.4 : 0.7;
    assert.ok(passed >= least * all, `${passed} of ${all} branches: the corpus no longer fits the code`);
  });
