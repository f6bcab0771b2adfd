import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

let compiled: ValidateFunction | undefined;

/** What the vendor's schema (`test/data/swml`) finds wrong with a document; empty: it accepts it. */
export function swmlMistakes(document: unknown): string[] {
  compiled ??= new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync(new URL('./data/swml/schema.json', import.meta.url), 'utf8')),
  );
  if (compiled(document)) return [];
  return (compiled.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
