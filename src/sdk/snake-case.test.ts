import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snakeCased } from './snake-case.ts';

test('names become those of the vendor; what was not set is left out, what is empty or false is not', () => {
  const options = {
    controlId: 'main',
    beep: false,
    maxLength: 0,
    terminators: '',
    format: undefined,
    stereo: null,
  };
  assert.deepEqual(snakeCased(options), { control_id: 'main', beep: false, max_length: 0, terminators: '' });
  assert.deepEqual(snakeCased({ endSilenceTimeout: 3 }), { end_silence_timeout: 3 });
  assert.deepEqual(snakeCased(), {});
});

test('values are not touched', () => {
  const params = { someName: { otherName: 1 } };
  assert.equal(snakeCased({ params }).params, params);
});
