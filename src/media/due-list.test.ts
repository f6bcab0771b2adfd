import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Due, DueList } from './due-list.ts';

function visited<Item>(list: DueList<Item>, by: number): Item[] {
  const items: Item[] = [];
  list.visit(by, (item) => void items.push(item));
  return items;
}

test('those who are due are visited, in the order in which they came', () => {
  const list = new DueList<string>();
  const [a, b, c] = ['a', 'b', 'c'].map((item) => list.add(item)) as [Due, Due, Due];
  assert.deepEqual(visited(list, 0), ['a', 'b', 'c']);
  a.set(10);
  b.set(20);
  c.set(Number.POSITIVE_INFINITY);
  assert.deepEqual(visited(list, 9), []);
  assert.deepEqual(visited(list, 10), ['a']);
  assert.deepEqual(visited(list, 1e9), ['a', 'b']);
  a.set(0);
  assert.deepEqual(visited(list, 0), ['a']);
});

test('who sets its own time while it is visited is visited once', () => {
  const list = new DueList<string>();
  const due = list.add('a');
  let visits = 0;
  list.visit(5, () => {
    visits++;
    due.set(5);
  });
  assert.equal(visits, 1);
});

test('who was removed is not visited, not even where it sets a time afterwards or another one has its place', () => {
  const list = new DueList<number>();
  const dues: Due[] = [];
  for (let item = 0; item < 1000; item++) {
    dues[item] = list.add(item);
    if (item >= 10 && item % 10 !== 0) {
      list.remove(dues[item]);
      list.remove(dues[item]);
    }
  }
  dues[11]!.set(0);
  list.remove(undefined);
  const kept = Array.from({ length: 1000 }, (_, item) => item).filter((item) => item < 10 || item % 10 === 0);
  assert.deepEqual(visited(list, 0), kept);
  dues[990]!.set(7);
  assert.deepEqual(
    visited(list, 0),
    kept.filter((item) => item !== 990),
  );
  assert.deepEqual(visited(list, 7), kept);
});
