import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmUpManifests } from './manifest-warm-up.ts';

test('the manifest of nobody is one that can be read', () => {
  assert.doesNotThrow(warmUpManifests);
});
