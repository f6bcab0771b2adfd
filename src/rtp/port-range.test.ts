import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPorts, isEphemeral, searchPorts } from './port-range.ts';

test('only even ports count', () => {
  assert.equal(countPorts({ first: 16_384, last: 16_389 }), 3);
  assert.equal(countPorts({ first: 16_383, last: 16_389 }), 3);
  assert.equal(countPorts({ first: 16_384, last: 16_384 }), 1);
  assert.equal(countPorts({ first: 16_385, last: 16_385 }), 0);
  assert.equal(countPorts({ first: 20_000, last: 10_000 }), 0);
});

test('the search visits every port once, from its start around', () => {
  assert.deepEqual([...searchPorts({ first: 10_001, last: 10_008 }, 2)], [10_006, 10_008, 10_002, 10_004]);
  assert.deepEqual([...searchPorts({ first: 10_001, last: 10_001 }, 5)], []);
});

test('both ends 0 mean any port', () => {
  assert.equal(isEphemeral({ first: 0, last: 0 }), true);
  assert.equal(isEphemeral({ first: 0, last: 10 }), false);
});
