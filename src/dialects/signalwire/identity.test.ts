import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityOf } from './identity.ts';

test('names last as long as the account, and differ between accounts and nodes', () => {
  const first = identityOf('a', 'local');
  assert.deepEqual(identityOf('a', 'local'), first);
  assert.equal(first.projectId, 'a');
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
  for (const id of [first.spaceId, first.nodeId]) assert.match(id, uuid);
  const ids = [first, identityOf('b', 'local'), identityOf('a', 'other')].map(({ nodeId }) => nodeId);
  assert.equal(new Set(ids).size, 3);
  assert.equal(identityOf('a', 'other').spaceId, first.spaceId);
});
