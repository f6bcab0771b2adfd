import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { KnownSources } from './known-sources.ts';

test('a source is known for a day after it was last seen to be, and of too many the oldest is forgotten', () => {
  const clock = new FakeClock();
  const known = new KnownSources(clock);
  known.add('192.0.2.1');
  clock.advanceMs(23 * 3600_000);
  assert.deepEqual([known.has('192.0.2.1'), known.has('192.0.2.2')], [true, false]);
  known.add('192.0.2.1');
  clock.advanceMs(2 * 3600_000);
  assert.ok(known.has('192.0.2.1'));
  for (let i = 0; i < 1_000; i++) known.add(`10.0.${i >> 8}.${i & 255}`);
  assert.deepEqual([known.has('192.0.2.1'), known.has('10.0.0.0')], [false, true]);
  clock.advanceMs(24 * 3600_000);
  assert.ok(!known.has('10.0.0.0'));
});
