import { z } from 'zod';
import { catalogue, type ErrorCode } from '../errors.ts';
import type { SchemaBook } from './schema-book.ts';

/** A route with what its schema says beside what Fastify checks; Fastify passes those members by. */
export interface DescribedRoute {
  method: string;
  url: string;
  schema: {
    operationId?: string;
    summary?: string;
    description?: string;
    tags?: string[];
    /** Without it: HTTP Basic. */
    security?: Record<string, string[]>[];
    body?: z.ZodType;
    querystring?: z.ZodType;
    params?: z.ZodType;
    headers?: z.ZodType;
    response?: Record<string, z.ZodType | OtherContent>;
  };
}

/** An answer that is not JSON. */
interface OtherContent {
  description: string;
  content: Record<string, { schema: z.ZodType }>;
}

/** One operation object of an OpenAPI document. */
export function operationOf({ method, schema }: DescribedRoute, book: SchemaBook): Record<string, unknown> {
  const { operationId, summary, description, tags, security, body, response = {} } = schema;
  const parameters = [
    ...parametersOf('path', schema.params, book),
    ...parametersOf('query', schema.querystring, book),
    ...parametersOf('header', schema.headers, book),
    ...(method === 'POST' || method === 'DELETE' ? [idempotencyKey] : []),
  ];
  const answers = Object.entries(response).map(([status, answer]) => [status, responseOf(answer, book)]);
  return {
    ...defined({ operationId, summary, description, tags, security }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBodyOf(body, book) }),
    responses: Object.fromEntries(answers),
  };
}

/** `idempotency.ts` reads it. */
const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A text of 1 to 255 printable ASCII characters, a new one for every new request. For 24 hours the same request ' +
    'with the same key gets the same answer, marked `Idempotency-Replayed: true`, and is done once.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: 'order-4711-start',
};

/** What a request of ours to an application is, as one path item of `webhooks`. */
export function webhookOf(
  { body, operationId, summary }: { body: z.ZodType; operationId: string; summary: string },
  book: SchemaBook,
): Record<string, unknown> {
  const content = { 'application/json': book.mediaType(book.schemaOf(body, 'output')) };
  const responses = { '2XX': { description: 'Taken. Anything else is tried again for 72 hours.' } };
  const tags = ['events'];
  const security: never[] = [];
  return {
    post: {
      ...{ operationId, summary, tags, security },
      parameters: signature.map(([name, description, example]) => ({
        ...{ name, in: 'header', required: true, description, schema: { type: 'string' }, example },
      })),
      requestBody: { required: true, content },
      responses,
    },
  };
}

/** Standard Webhooks. */
const signature = [
  ['webhook-id', 'Of the event; the same at every attempt.', '5f3a9c0d1e2b4a67'],
  ['webhook-timestamp', 'Of this attempt, in seconds since 1970.', '1789374600'],
  ['webhook-signature', '`v1,` and the HMAC-SHA256 of id, timestamp and body, in base64.', 'v1,K5oZfzN9…'],
] as const;

function parametersOf(
  place: 'path' | 'query' | 'header',
  type: z.ZodType | undefined,
  book: SchemaBook,
): Record<string, unknown>[] {
  if (!type) return [];
  const { properties = {}, required = [] } = book.schemaOf(type, 'input');
  return Object.entries(properties).map(([name, { description, examples, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...defined({ description }),
    schema,
    ...(examples && { example: examples[0] }),
  }));
}

function requestBodyOf(body: z.ZodType, book: SchemaBook): Record<string, unknown> {
  const isOptional = body instanceof z.ZodOptional;
  const schema = book.schemaOf(isOptional ? (body.unwrap() as z.ZodType) : body, 'input');
  return { required: !isOptional, content: { 'application/json': book.mediaType(schema) } };
}

function responseOf(answer: z.ZodType | OtherContent, book: SchemaBook): Record<string, unknown> {
  if (!(answer instanceof z.ZodType)) {
    const content = Object.entries(answer.content).map(([type, { schema }]) => [
      type,
      { schema: book.schemaOf(schema, 'output') },
    ]);
    return { description: answer.description, content: Object.fromEntries(content) };
  }
  const { description = 'Done.', 'x-codes': codes } = answer.meta() ?? {};
  if (answer instanceof z.ZodUndefined) return { description };
  const { 'x-codes': _codes, ...schema } = book.schemaOf(answer, 'output');
  if (!Array.isArray(codes)) return { description, content: { 'application/json': book.mediaType(schema) } };
  // Of an error only the component counts: what it says is about this answer.
  const { $ref } = schema;
  const examples = Object.fromEntries(
    (codes as ErrorCode[]).map((code) => [code, { $ref: `#/components/examples/${code}` }]),
  );
  return { description, content: { 'application/json': { schema: { $ref }, examples } } };
}

/** What operations name as examples of errors. */
export function errorExamples(): Record<string, { summary: string; value: unknown }> {
  const examples = Object.entries(catalogue).map(([code, { blame, todo }]) => {
    const value = { error: { code, message: 'What is wrong in this case.', blame, todo } };
    return [code, { summary: todo, value }];
  });
  return Object.fromEntries(examples);
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
