import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest-name.ts';

const names = ['answer', 'play', 'record', 'record_call', 'stop_record_call', 'if'];

test('what is nearly a name is taken for it', () => {
  for (const [written, meant] of [
    ['anwser', 'answer'],
    ['Answer', 'answer'],
    ['recordcall', 'record_call'],
    ['recrod', 'record'],
    ['paly', 'play'],
    ['stop_record_calls', 'stop_record_call'],
  ] as const)
    assert.equal(nearestName(written, names), meant);
});

test('what is another word is not', () => {
  for (const written of ['say', 'hang', 'on', 'x', '', 'recording_call_now', 'a'.repeat(100_000)])
    assert.equal(nearestName(written, names), undefined, written.slice(0, 20));
});
