import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CallreelError } from '../errors.ts';
import { checkSvamlFile, isSvaml } from './svaml-file.ts';

it('is known by its names, broken ones too', () => {
  for (const text of ['{"action": {}}', '{"instructions": []}', '{\n "instructions": [', '{"action": {},}'])
    assert.ok(isSvaml(text), text);
  for (const text of [
    '[]',
    '[{"name": "HangUp"}]',
    '{"routine": []}',
    'sections: {main: []}',
    '{"a": "action"}',
  ])
    assert.ok(!isSvaml(text), text);
});

it('every mistake has its line', () => {
  const text = '{"instructions": [{"name": "say"}],\n "action": {"name": "park", "maxDuration": 900}}';
  assert.throws(
    () => checkSvamlFile('a.json', text),
    (error) => {
      assert.ok(error instanceof CallreelError);
      assert.equal(error.where, 'a.json:1:19');
      assert.deepEqual(error.message.split('\n'), [
        'a.json:1:19: instructions[0].text: "text" is missing. Add the parameter. (40002)',
        'a.json:2:44: action.maxDuration: a whole number from 1 to 600 is expected, not 900. Correct the value. (40001)',
      ]);
      return true;
    },
  );
});

it('warnings are printed', () => {
  assert.deepEqual(checkSvamlFile('a.json', '{"action": {"name": "hangup", "x": 1}}'), [
    'a.json:1:36: warning: action.x: "x" is not known here, and ignored (40003)',
  ]);
});
