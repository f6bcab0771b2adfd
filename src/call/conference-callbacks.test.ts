import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConferenceCallbacks } from './conference-callbacks.ts';

test('each URL is added once, and warned once of each feature', () => {
  const calls: string[] = [];
  const callbacks = new ConferenceCallbacks({
    added: () => calls.push('added'),
    warn: ({ feature }, url) => calls.push(`${feature} to ${url}`),
  });
  const [amd, stream] = ['amd', 'stream'].map((feature) => ({ feature, message: `no ${feature}` }));
  callbacks.add('http://a/', [amd!]);
  callbacks.add('http://a/', [amd!, stream!]);
  callbacks.add('http://b/', [amd!, amd!]);
  assert.deepEqual(calls, ['added', 'amd to http://a/', 'stream to http://a/', 'added', 'amd to http://b/']);
  assert.deepEqual([...callbacks.urls], ['http://a/', 'http://b/']);
});
