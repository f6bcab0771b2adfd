import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CollectResult } from '../../script/verb.ts';
import { parseRoutine } from './routine.ts';

const url = 'https://app.example/done';

/** What `on_done` is asked. */
async function answerOf(command: object, result: CollectResult): Promise<unknown> {
  const asked: unknown[] = [];
  const [step] = parseRoutine({ routine: [{ ...command, on_done: url }] }, async (to, answer) => {
    assert.equal(to, url);
    asked.push(answer);
    return undefined;
  });
  assert.ok(step?.verb === 'collect');
  await step.done?.(result);
  return asked[0];
}
const said = (text: string, confidence?: number): CollectResult => ({
  ...{ digits: '', ended: 'speech', speech: { text, confidence } },
});

describe('GetName', () => {
  const get = { name: 'GetName', timeout_seconds: 15, prompt_url: 'https://app.example/a.wav' };

  test('waits for speech alone, behind its prompt', () => {
    const [step] = parseRoutine({ routine: [get] });
    assert.ok(step?.verb === 'collect' && step.speech);
    assert.deepEqual([step.maxDigits, step.initialTimeoutMs, step.prompts.length], [0, 15_000, 1]);
    assert.equal(step.speech.locale, 'en-US');
  });

  for (const [what, result, answer] of [
    ['a name', said('My name is Steven Smith.'), { value: 'steven smith', text: 'My name is Steven Smith.' }],
    ['with its confidence', said('Anne', 0.9), { value: 'anne', text: 'Anne', confidence: 0.9 }],
    ['no name', said('Hello?'), { value: '', error: 'invalid', text: 'Hello?' }],
    ['nothing', { digits: '', ended: 'no-input' }, { value: '', error: 'timeout' }],
    ['nothing that is understood', { digits: '', ended: 'no-match' }, { value: '', error: 'invalid' }],
  ] as const)
    test(`${what} is told`, async () => {
      assert.deepEqual(await answerOf(get, result), answer);
    });
});

describe('GetNumber', () => {
  for (const [what, result, answer] of [
    ['spoken', said('Forty four.'), { digits: '44', value: '44', text: 'Forty four.' }],
    ['as digits', said('zero zero'), { digits: '00', value: '00', text: 'zero zero' }],
    ['pressed', { digits: '042', ended: 'terminator', terminator: '#' }, { digits: '042', value: '042' }],
    ['other keys', { digits: '4*7', ended: 'complete' }, { digits: '4*7', value: null, error: 'invalid' }],
    ['not to its end', { digits: '4', ended: 'timeout' }, { digits: '', value: null, error: 'timeout' }],
    ['no number', said('hello'), { digits: '', value: null, error: 'invalid', text: 'hello' }],
    ['nothing', { digits: '', ended: 'no-input' }, { digits: '', value: null, error: 'timeout' }],
  ] as const)
    test(`${what} is told`, async () => {
      assert.deepEqual(await answerOf({ name: 'GetNumber' }, result), answer);
    });
});
