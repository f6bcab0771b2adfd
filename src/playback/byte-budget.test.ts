import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget } from './byte-budget.ts';

function budgetOf(maxBytes: number) {
  const budget = new ByteBudget(maxBytes);
  const givenUp: string[] = [];
  const begin = (name: string) => budget.begin(() => givenUp.push(name));
  return { budget, begin, givenUp };
}

test('the largest gives way, whoever asked for more', () => {
  const { budget, begin, givenUp } = budgetOf(100);
  const [large, small, other] = [begin('large'), begin('small'), begin('other')];
  large.holds(60);
  small.holds(40);
  assert.deepEqual(givenUp, []);
  other.holds(1);
  assert.deepEqual([givenUp, budget.bytes], [['large'], 41]);
  other.holds(70);
  assert.deepEqual([givenUp, budget.bytes], [['large', 'other'], 40]);
});

test('of equals the later one gives way, until there is room', () => {
  const { budget, begin, givenUp } = budgetOf(100);
  for (const name of ['a', 'b', 'c']) begin(name).holds(30);
  begin('d').holds(100);
  assert.deepEqual(givenUp, ['d']);
  assert.equal(budget.bytes, 90);
  begin('e').holds(30);
  assert.deepEqual(givenUp, ['d', 'e']);
});

test('what ended or was given up counts no more', () => {
  const { budget, begin, givenUp } = budgetOf(100);
  const done = begin('done');
  done.holds(100);
  done.end();
  done.end();
  done.holds(50);
  assert.equal(budget.bytes, 0);
  const tooLarge = begin('too large');
  tooLarge.holds(101);
  tooLarge.holds(10);
  assert.deepEqual([givenUp, budget.bytes], [['too large'], 0]);
});
