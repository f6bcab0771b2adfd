import assert from 'node:assert/strict';
import { test } from 'node:test';
import { achievedRate, type PlacedCalls, shortcomingsOf, voidReason } from './verdict.ts';

/** The last of them is placed a 200th of a second before the end. */
const good: PlacedCalls = {
  kind: 'answered',
  placed: 6000,
  placingSeconds: 29.995,
  failures: [],
  onRecord: 6000,
};

test('calls that are placed on time have the rate that was asked for', () => {
  assert.equal(achievedRate(good).toFixed(6), '200.000000');
  assert.equal(voidReason(good, 200), null);
  assert.deepEqual(shortcomingsOf(good), []);
});

test('a caller that falls behind by more than a hundredth makes the run void', () => {
  assert.equal(voidReason({ ...good, placingSeconds: 30.29 }, 200), null);
  assert.match(voidReason({ ...good, placingSeconds: 30.31 }, 200)!, /only 197\.9 of 200/);
});

test('no call was placed: void, as nothing was measured', () => {
  assert.notEqual(voidReason({ ...good, placed: 0, placingSeconds: 0 }, 200), null);
});

test('a call that failed, or is not on record, is a shortcoming', () => {
  assert.equal(shortcomingsOf({ ...good, failures: ['no end'] }).length, 1);
  assert.equal(shortcomingsOf({ ...good, onRecord: 5999 }).length, 1);
  assert.equal(shortcomingsOf({ ...good, onRecord: 6001 }).length, 1);
});
