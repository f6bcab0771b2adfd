import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holes } from './holes.ts';

test('a hole is taken once, in parts, never beyond its end', () => {
  const holes = new Holes();
  holes.push({ cause: 'loss', fromSample: 100, toSample: 200 });
  holes.push({ cause: 'pause', fromSample: 300, toSample: 400 });
  assert.equal(holes.take(90, 20), undefined, 'begins in taken audio');
  assert.equal(holes.take(140, 20)?.samples, 20);
  assert.equal(holes.take(140, 20), undefined);
  assert.equal(holes.take(190, 20)?.samples, 10);
  assert.equal(holes.take(250, 20), undefined, 'between the holes');
  assert.equal(holes.take(300, 0), undefined);
  assert.deepEqual(
    holes.open.map(({ fromSample, toSample }) => [fromSample, toSample]),
    [
      [100, 140],
      [160, 190],
      [300, 400],
    ],
  );
  assert.deepEqual(
    holes.settle(190).map(({ fromSample }) => fromSample),
    [100, 160],
  );
  assert.deepEqual(holes.settle(399), []);
  assert.equal(holes.settle(400).length, 1);
  assert.equal(holes.open.length, 0);
});
