import { z } from 'zod';
import { exampleOf, type JsonSchema } from './schema-example.ts';

/** Zod's schemas as those of an OpenAPI document: inline, but those that have an id are components, once each. */
export class SchemaBook {
  readonly #components: Record<string, JsonSchema> = {};

  get components(): Record<string, JsonSchema> {
    return Object.fromEntries(Object.entries(this.#components).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /**
   * @param io what a client may send, or what it gets
   * @throws TypeError when two schemas share an id and differ
   */
  schemaOf(type: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // Only what is inside another schema becomes a reference.
    const whole = z.toJSONSchema(z.object({ it: type }), { io, unrepresentable: 'any' }) as JsonSchema;
    for (const [id, schema] of Object.entries((whole.$defs ?? {}) as Record<string, JsonSchema>))
      this.#add(id, tidied(schema, io));
    return tidied(whole.properties?.it ?? {}, io);
  }

  mediaType(schema: JsonSchema): { schema: JsonSchema; example: unknown } {
    return { schema, example: exampleOf(schema, this.#components) };
  }

  #add(id: string, component: JsonSchema): void {
    const known = this.#components[id];
    if (known && JSON.stringify(known) !== JSON.stringify(component))
      throw new TypeError(`two schemas have the id ${id}`);
    this.#components[id] = component;
  }
}

/** References to components, nullable types in one piece; answers may have more members one day, requests may not. */
function tidied(schema: JsonSchema, io: 'input' | 'output'): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value) => {
    if (key === '$ref') return String(value).replace('#/$defs/', '#/components/schemas/');
    if (io === 'output' && key === 'additionalProperties' && value === false) return undefined;
    return typeof value === 'object' && value !== null ? nullableInOne(value) : value;
  }) as JsonSchema;
}

function nullableInOne(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  const [first, second, ...others] = Array.isArray(anyOf) ? anyOf : [];
  const isNullable = second?.type === 'null' && Object.keys(second).length === 1 && others.length === 0;
  if (!first || !isNullable || typeof first.type !== 'string') return schema;
  const values = Array.isArray(first.enum) ? { enum: [...first.enum, null] } : {};
  return { ...first, ...values, ...rest, type: [first.type, 'null'] };
}
