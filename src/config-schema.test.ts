import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { z } from 'zod';
import { configSchema } from './config-schema.ts';

interface Described {
  properties?: Record<string, Described>;
  items?: Described;
  default?: unknown;
}

/** Every setting as the schema has it, in its order: the path, and the default or undefined. */
function settingsOf(described: Described, path = ''): [path: string, byDefault: unknown][] {
  const fieldsOf = ({ properties = {} }: Described, prefix: string) =>
    Object.entries(properties).flatMap(([name, field]) => settingsOf(field, prefix + name));
  if (described.properties) return fieldsOf(described, path === '' ? '' : `${path}.`);
  const entries = described.items ? fieldsOf(described.items, `${path}[].`) : [];
  return [[path, described.default], ...entries];
}

/** The rows of docs/settings.md: setting and default, without the marks of code. */
function rowsOfPage(): [path: string, byDefault: string][] {
  const page = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8');
  return [...page.matchAll(/^\| `([^`]+)` \| (.*?) \| /gm)].map(([, path = '', byDefault = '']) => [
    path,
    byDefault,
  ]);
}

function written(byDefault: unknown): string {
  const text = Array.isArray(byDefault) ? byDefault.join(', ') : String(byDefault);
  return text === '' ? 'none' : `\`${text}\``;
}

suite('docs/settings.md', () => {
  const described = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Described;
  const settings = settingsOf(described);
  const rows = rowsOfPage();

  test('has every setting, in the order of the schema, and no other', () => {
    assert.ok(settings.length > 80);
    assert.deepEqual(
      rows.map(([path]) => path),
      settings.map(([path]) => path),
    );
  });

  test('has the defaults of the schema', () => {
    const page = new Map(rows);
    for (const [path, byDefault] of settings)
      if (byDefault !== undefined) assert.equal(page.get(path), written(byDefault), path);
  });
});
