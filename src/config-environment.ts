import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

/** One setting that an environment variable can give. */
export interface Setting {
  path: string[];
  variable: string;
  parse: (text: string) => unknown;
}

/** Every leaf of a schema with the name of its variable. */
export function listSettings(schema: z.ZodType, path: string[] = []): Setting[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject)
    return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) =>
      listSettings(field, [...path, key]),
    );
  return [{ path, variable: variableName(path), parse: parserOf(inner) }];
}

/** `callbacks.timeoutMs` -> `CALLREEL_CALLBACKS_TIMEOUT_MS` */
export function variableName(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `CALLREEL_${words.join('_')}`;
}

/** Removes what zod wraps around the type that a text is read as. */
function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
      inner = inner.def.innerType as z.ZodType;
    else if (inner instanceof z.ZodPipe) inner = inner.def.in as z.ZodType;
    else return inner;
  }
}

function parserOf(schema: z.ZodType): (text: string) => unknown {
  if (schema instanceof z.ZodArray)
    return unwrap(schema.def.element as z.ZodType) instanceof z.ZodObject ? parseJson : splitList;
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum || schema instanceof z.ZodURL)
    return (text) => text;
  return parseJson;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** JSON is YAML; what cannot be read stays a text and is refused by the schema. */
function parseJson(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return text;
  }
}
