import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { boundProcessors, processors } from './processors.ts';

describe('processors', () => {
  test('are names, or objects with one, each once', () => {
    const given = ['transcribe', { name: 'findtopics', model: 'x' }, 'transcribe'];
    assert.deepEqual(processors.parse(given), ['transcribe', 'findtopics']);
    for (const none of [undefined, null, []]) assert.deepEqual(processors.parse(none), []);
  });

  for (const wrong of ['transcribe', [''], [3], [{}], [{ name: 'x'.repeat(201) }], Array(51).fill('grade')])
    test(`not ${JSON.stringify(wrong).slice(0, 30)}`, () => {
      assert.equal(processors.safeParse(wrong).success, false);
    });

  for (const [wanted, transcribes, missing] of [
    [[], false, []],
    [['transcribe'], true, []],
    [['findtopics'], true, ['findtopics']],
    [['grade', 'transcribe'], true, ['grade']],
    [['classify:refunds'], true, ['classify:refunds']],
    [['classify', 'emotion'], false, ['classify', 'emotion']],
  ] as const)
    test(`${JSON.stringify(wanted)} ${transcribes ? 'binds' : 'does not bind'} transcribe`, () => {
      assert.deepEqual(boundProcessors(wanted), { transcribes, missing });
    });
});
