import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientStateOf, tellerOf, tellerOfMeta } from './recording-teller.ts';

const statusUrl = 'http://127.0.0.1/status';
const dialectData = { controlId: 'main' };
const told = { statusUrl, statusDialect: 'signalwire', dialectData };

test('the row and the manifest tell the same', () => {
  assert.deepEqual(tellerOf({ statusUrl, dialect: 'signalwire', dialectData }), told);
  assert.deepEqual(tellerOfMeta({ dialect: 'native', ...told }), told);
});

test('who is told in our own form has no dialect', () =>
  assert.deepEqual(tellerOf({ statusUrl }), { statusUrl, statusDialect: undefined, dialectData: undefined }));

test('nonsense of a manifest tells nobody', () => {
  const nobody = { statusUrl: undefined, statusDialect: undefined, dialectData: undefined };
  assert.deepEqual(tellerOfMeta({ statusUrl: 1, statusDialect: {}, dialectData: [] }), nobody);
  assert.deepEqual(tellerOf(null), nobody);
  assert.equal(clientStateOf({ clientState: [1] }), undefined);
});
