import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerOf } from './request-headers.ts';

test('headers of Node, of other cases, repeated ones, and a Headers object', () => {
  assert.equal(headerOf({ 'webhook-id': 'a' }, 'webhook-id'), 'a');
  assert.equal(headerOf({ 'Webhook-Id': 'a' }, 'webhook-id'), 'a');
  assert.equal(headerOf({ 'webhook-id': ['a', 'b'] }, 'webhook-id'), 'a, b');
  assert.equal(headerOf({ 'webhook-id': undefined }, 'webhook-id'), undefined);
  assert.equal(headerOf({ get: 'a header of that name' }, 'webhook-id'), undefined);
  const headers = new Headers({ 'Webhook-Id': 'a' });
  assert.equal(headerOf(headers, 'webhook-id'), 'a');
  assert.equal(headerOf(headers, 'webhook-timestamp'), undefined);
});
