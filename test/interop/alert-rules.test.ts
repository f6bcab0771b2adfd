import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { ensurePackages } from './debian.ts';

const run = promisify(execFile);
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const rules = pathOf('../../ops/prometheus-alerts.yml');
const cases = pathOf('prometheus-alerts.test.yml');

before(() => ensurePackages('prometheus'));

test('Prometheus takes the alert rules, and they fire when they should', async () => {
  await run('promtool', ['check', 'rules', rules]);
  await run('promtool', ['test', 'rules', cases]);
});

test('there is a case for each of them', () => {
  const { groups } = parse(readFileSync(rules, 'utf8')) as { groups: { rules: { alert: string }[] }[] };
  const tried = readFileSync(cases, 'utf8');
  for (const { alert } of groups.flatMap((group) => group.rules)) assert.ok(tried.includes(alert), alert);
});
