import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { TestServer } from '../../src/testkit/server.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** Values of the labels of a metric. */
type Labels = Map<string, Set<string>>;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** By Prometheus to every metric, and by a histogram to its buckets. */
const addedLabels = ['instance', 'job', 'le'];

async function metricsPage({ callreel: { publicUrl, credentials } }: TestServer): Promise<string> {
  const pair = `${credentials.accountId}:${credentials.authToken.reveal()}`;
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  return await (await fetch(`${publicUrl}/metrics`, { headers })).text();
}

/** Metrics of a page of Prometheus' text format, a histogram as one without its bounds. */
function metricsOf(page: string): Map<string, Labels> {
  const metrics = new Map<string, Labels>();
  const histograms = new Set([...page.matchAll(/^# TYPE (\S+) histogram$/gm)].map(([, name]) => name!));
  for (const [, series, text = ''] of page.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const family = series!.replace(/_(bucket|sum|count)$/, '');
    const name = histograms.has(family) ? family : series!;
    const labels: Labels = metrics.get(name) ?? new Map();
    metrics.set(name, labels);
    for (const [, label, value] of text.matchAll(/([a-z_]+)="([^"]*)"/g))
      if (label !== 'le') labels.set(label!, (labels.get(label!) ?? new Set()).add(value!));
  }
  return metrics;
}

/** As the documentation lists them: `name{label}`. */
function documentedMetrics(): string[] {
  const rows = read('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}

/** Of alert rules and panels. */
function askedExpressions(): string[] {
  const rules = parse(read('ops/prometheus-alerts.yml')) as { groups: { rules: { expr: string }[] }[] };
  const dashboard = JSON.parse(read('ops/grafana-dashboard.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return [
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
}

interface Selector {
  names: string[];
  matchers: { label: string; operator: string; value: string }[];
}

/** What of `metrics` an expression selects; names that are none of them too. */
function selectorsOf(expression: string, metrics: ReadonlyMap<string, Labels>): Selector[] {
  const pattern = /\b((?:callreel|process)_[a-z_]+)(?:\{([^}]*)\})?|(?<!\w)\{([^}]*)\}/g;
  return [...expression.matchAll(pattern)].map(([, name, named, unnamed]) => {
    const matchers = [...(named ?? unnamed ?? '').matchAll(/([a-z_]+)(=~|!=|=)"([^"]*)"/g)].map(
      ([, label, operator, value]) => ({ label: label!, operator: operator!, value: value! }),
    );
    const pattern = matchers.find(({ label }) => label === '__name__');
    const names = pattern
      ? [...metrics.keys()].filter((each) => new RegExp(`^(?:${pattern.value})$`).test(each))
      : [name!.replace(/_bucket$/, '')];
    return { names, matchers: matchers.filter((matcher) => matcher !== pattern) };
  });
}

function assertAnswerable(expression: string, metrics: ReadonlyMap<string, Labels>): void {
  const selectors = selectorsOf(expression, metrics);
  assert.ok(selectors.length > 0 || expression.startsWith('up{'), expression);
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels]) => labels!.split(', '));
  for (const { names, matchers } of selectors) {
    assert.ok(names.length > 0, expression);
    const wanted = [...matchers.map(({ label }) => label), ...grouped];
    for (const name of names) {
      const labels = metrics.get(name);
      assert.ok(labels, `${name} is not on the page: ${expression}`);
      for (const label of wanted.filter((each) => !addedLabels.includes(each)))
        assert.ok(labels.has(label), `${name} has no ${label}: ${expression}`);
      for (const { label, operator, value } of matchers)
        if (operator !== '=~' && labels.has(label))
          assert.ok(labels.get(label)!.has(value), `no ${label} of ${name} is ${value}: ${expression}`);
    }
  }
}

test('what a server gives out is what the documentation lists, and all that dashboard and alerts ask for', async () => {
  using files = new TemporaryDataDir();
  const server = await TestServer.start({ settings: { CALLREEL_RECORDING_FILES_DIRECTORY: files.path } });
  const page = await metricsPage(server).finally(() => server.stop());
  const metrics = metricsOf(page);

  const given = [...metrics].map(([name, labels]) =>
    labels.size > 0 ? `${name}{${[...labels.keys()].join(',')}}` : name,
  );
  assert.deepEqual(documentedMetrics().sort(), given.sort());

  const expressions = askedExpressions();
  assert.ok(expressions.length > 30);
  const namesOf = (expression: string) => selectorsOf(expression, metrics).flatMap(({ names }) => names);
  for (const expression of expressions) {
    assertAnswerable(expression, metrics);
    assert.ok(namesOf(expression).length > 0 || expression.startsWith('up{'), expression);
  }
});
