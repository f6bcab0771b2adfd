/** As much of JSON Schema 2020-12 as zod writes. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  examples?: unknown[];
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  [keyword: string]: unknown;
}

/** An example of the whole, made of those of its parts. @param components by id, for `$ref` */
export function exampleOf(schema: JsonSchema, components: Record<string, JsonSchema> = {}): unknown {
  const { $ref, examples, const: constant, enum: values, anyOf, oneOf, properties, items } = schema;
  if (examples && examples.length > 0) return examples[0];
  if ($ref !== undefined) return exampleOf(components[$ref.split('/').at(-1) ?? ''] ?? {}, components);
  if (constant !== undefined) return constant;
  if (schema.default !== undefined) return schema.default;
  if (values && values.length > 0) return values[0];
  const [choice] = anyOf ?? oneOf ?? [];
  if (choice) return exampleOf(choice, components);
  if (properties)
    return Object.fromEntries(
      Object.entries(properties).map(([name, part]) => [name, exampleOf(part, components)]),
    );
  if (items) return [exampleOf(items, components)];
  return plainExample([schema.type].flat()[0]);
}

function plainExample(type: string | undefined): unknown {
  if (type === 'array') return [];
  if (type === 'object') return {};
  if (type === 'integer' || type === 'number') return 1;
  return type === 'boolean' ? true : type === 'null' ? null : 'text';
}
