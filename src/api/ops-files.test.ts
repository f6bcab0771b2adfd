import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const metricName = /\b(?:callreel|process)_[a-z_]+\b/g;

/** Names as the documentation lists them; `_sent_total` behind another stands for the whole. */
function documentedNames(): Set<string> {
  const rows = read('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return new Set(
    rows.flatMap((row) => {
      const names = [...row.split('|')[1]!.matchAll(/`([a-z_]+)/g)].map(([, name]) => name!);
      return names.map((name) => (name.startsWith('_') ? names[0]!.replace(/_[a-z]+_total$/, name) : name));
    }),
  );
}

test('dashboard and alerts ask for metrics that are there', () => {
  const rules = parse(read('ops/prometheus-alerts.yml')) as {
    groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
  };
  const dashboard = JSON.parse(read('ops/grafana-dashboard.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  const asked = [
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  assert.ok(asked.length > 20);
  const known = documentedNames();
  const names = asked
    .flatMap((expr) => expr.match(metricName) ?? [])
    .map((name) => name.replace(/_bucket$/, ''));
  const unknown = names.filter((name) => !known.has(name) && !name.endsWith('callreel_'));
  assert.deepEqual(unknown, []);
});

test('the page of metrics names each of them', () => {
  const literals = read('src/api/metric-sources.ts').match(/'(?:callreel|process)_[a-z_]+'/g) ?? [];
  assert.ok(literals.length > 20);
  const known = documentedNames();
  assert.deepEqual(
    literals.map((literal) => literal.slice(1, -1)).filter((name) => !known.has(name)),
    [],
  );
});
