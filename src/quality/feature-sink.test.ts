import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remembered } from './feature-sink.ts';

test('features are worked out once, however many ask', () => {
  let asked = 0;
  const features = remembered((put) => {
    asked += 1;
    put('one', 1);
    put('two', 2);
  });
  for (let time = 0; time < 3; time++) {
    const got: [string, number][] = [];
    features((name, value) => got.push([name, value]));
    assert.deepEqual(got, [
      ['one', 1],
      ['two', 2],
    ]);
  }
  assert.equal(asked, 1);
});
