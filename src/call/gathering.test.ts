import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { Gathering } from './gathering.ts';

test('who is ready waits for who is expected, and not for long', async () => {
  const clock = new FakeClock();
  const gathering = new Gathering(clock, 20);
  const gone: string[] = [];
  const ready = (id: string) => gathering.ready(id).then(() => gone.push(id));
  for (const id of ['a', 'b', 'c', 'd']) gathering.expect(id);
  const first = [ready('a'), ready('b')];
  clock.advanceMs(19);
  await Promise.resolve();
  assert.deepEqual(gone, []);
  clock.advanceMs(1);
  await Promise.all(first);
  assert.deepEqual(gone, ['a', 'b']);
  const rest = ready('c');
  await ready('d');
  await rest;
  assert.deepEqual(gone, ['a', 'b', 'c', 'd']);
  gathering.expect('alone');
  await ready('alone');
});
