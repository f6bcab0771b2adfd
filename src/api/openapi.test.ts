import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { nativeDocument } from './native-document.ts';
import { formatNativeEvent } from './native-events.ts';
import { conversationEnded, recordingChanged } from './webhook-bodies.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  parameters?: { name: string; in: string; description?: string; schema?: unknown }[];
  requestBody?: { content: Record<string, { schema: Schema; example: unknown }> };
  responses: Record<string, { description?: string }>;
}
interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: unknown;
  description?: string;
}

const document = nativeDocument();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation: operation as unknown as Operation,
  })),
);

test('docs/openapi.json is what the routes say: after a change, `npm run openapi`', () => {
  const kept = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(kept), JSON.parse(JSON.stringify(document)));
});

test('it is a document by the schema of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone({ ...document }));
  assert.deepEqual([valid, errors, validator.version], [true, undefined, '3.1']);
});

test('it says what is sent to the applications, too', () => {
  assert.deepEqual(Object.keys(document.webhooks).sort(), [
    ...['conversation.ended', 'conversation.warning', 'recording.changed', 'recording.delivery'],
    'recording.transcript',
  ]);
  const schemas = document.components.schemas as Record<string, Schema>;
  const ended = formatNativeEvent({
    ...{ kind: 'conversation.ended', accountId: 'a', conversationId: 'c', conferenceName: 'support' },
    ...{ startedUnixMs: 1, endedUnixMs: 2 },
    recordings: [{ recordingId: 'r', reason: 'stopped' }],
  });
  const changed = formatNativeEvent({
    ...{ kind: 'recording.changed', accountId: 'a', conversationId: 'c', conferenceName: 'support' },
    ...{ recordingId: 'r', state: 'finished', connectionId: undefined, controlId: undefined, atMs: 7 },
    ...{ clientState: undefined, dialectData: undefined, consents: [], notices: [] },
    ...{ direction: 'both', format: 'wav', stereo: false },
    end: {
      ...{ reason: 'terminator', digit: '#', startMs: 1, recordedMs: 2, startedUnixMs: 3, endedUnixMs: 4 },
      file: undefined,
    },
  });
  for (const [name, type, body] of [
    ['ConversationEnded', conversationEnded, ended],
    ['RecordingChanged', recordingChanged, changed],
  ] as const) {
    assert.deepEqual(type.strict().safeParse(body).error, undefined, name);
    assert.deepEqual(
      Object.keys(schemas[name]!.properties!).sort(),
      Object.keys(body as object).sort(),
      name,
    );
  }
});

test('a document that is none is found', async () => {
  const broken = { ...structuredClone({ ...document }), paths: { calls: {} } };
  assert.equal((await new Validator().validate(broken)).valid, false);
});

test('every operation has a name of its own, a summary, a tag, and says what a failure is', () => {
  const names = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(names).size, operations.length);
  for (const { name, operation } of operations) {
    assert.ok(operation.operationId && operation.summary && operation.tags?.length, name);
    if (name !== 'GET /v1/openapi.json') assert.ok(operation.responses['400'], name);
    for (const parameter of operation.parameters ?? [])
      assert.ok(parameter.description && parameter.schema, `${name} ${parameter.name}`);
  }
});

test('whatever changes something takes an idempotency key, and nothing else does', () => {
  for (const { name, operation } of operations) {
    const isKeyed = operation.parameters?.some(({ name: each }) => each === 'Idempotency-Key') ?? false;
    assert.equal(isKeyed, !name.startsWith('GET'), name);
    if (isKeyed) assert.ok(operation.responses['409'] && operation.responses['422'], name);
  }
});

test('no request body takes fields that are not listed, at any depth', () => {
  const open: string[] = [];
  const visit = (schema: Schema, where: string): void => {
    if (schema.properties && schema.additionalProperties !== false) open.push(where);
    for (const [name, member] of Object.entries(schema.properties ?? {})) visit(member, `${where}.${name}`);
    if (schema.items) visit(schema.items, `${where}[]`);
    for (const choice of schema.anyOf ?? []) visit(choice, where);
  };
  const bodies = operations.filter(({ operation }) => operation.requestBody);
  for (const { name, operation } of bodies)
    visit(operation.requestBody!.content['application/json']!.schema, name);
  assert.deepEqual(open, []);
  assert.ok(bodies.length >= 4);
});
