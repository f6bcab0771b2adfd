import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excerptSeconds, placeAt, placeBehind } from './excerpts.ts';

function places(count: number, isKnownAt: (place: number) => boolean): number[] {
  const found = [0];
  while (found.length < count) found.push(placeBehind(found.at(-1)!, isKnownAt(found.at(-1)!)));
  return found;
}

test('two in the first minute, one a minute from the third on, and from the tenth on one in two', () => {
  assert.deepEqual(
    places(15, () => false),
    [0, 45, 120, 180, 240, 300, 360, 420, 480, 540, 600, 720, 840, 960, 1080],
  );
});

test('half as many where everybody is known, from where they are on', () => {
  assert.deepEqual(
    places(10, () => true),
    [0, 60, 180, 300, 420, 540, 840, 1080, 1320, 1560],
  );
  assert.deepEqual(
    places(6, (place) => place >= 45),
    [0, 45, 180, 300, 420, 540],
  );
  assert.deepEqual(
    places(6, (place) => place !== 60 && place !== 180),
    [0, 60, 120, 240, 360, 480],
  );
});

test('none begins before the last is over', () => {
  for (let index = 0; index < 99; index++)
    for (const isKnown of [true, false])
      assert.ok(placeBehind(placeAt(index), isKnown) >= placeAt(index) + excerptSeconds);
});
