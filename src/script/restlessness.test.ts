import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { Restlessness } from './restlessness.ts';

test('a menu may go on for hours', () => {
  const clock = new FakeClock();
  const restlessness = new Restlessness(clock);
  for (let round = 0; round < 5000; round++) {
    restlessness.replaced();
    clock.advanceMs(200);
  }
});

test('a hundred at once may be, one more is too many', () => {
  const restlessness = new Restlessness(new FakeClock());
  for (let round = 0; round < 100; round++) restlessness.replaced();
  assert.throws(() => restlessness.replaced(), { code: 'DOCUMENT_INVALID', where: 'routine' });
});
