import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { recordingWishes, recordParameters } from './record-input.ts';

const wishes = (given: unknown) => recordingWishes(recordParameters.parse(given));

suite('calling.record', () => {
  test('the defaults of this door', () =>
    assert.deepEqual(wishes({}), {
      controlId: undefined,
      statusUrl: undefined,
      format: 'mp3',
      stereo: false,
      options: {
        direction: 'speak',
        beep: false,
        inputSensitivity: 44,
        terminators: '#',
        initialTimeoutMs: 4000,
        endSilenceTimeoutMs: 500,
      },
    }));

  test('0 turns a limit off, an empty text the keys', () => {
    const { options } = wishes({ audio: { initial_timeout: 0, end_silence_timeout: 0, terminators: '' } });
    assert.deepEqual(options, { direction: 'speak', beep: false, inputSensitivity: 44 });
  });

  test('however short a time is, it is one', () => {
    const { options } = wishes({
      audio: { initial_timeout: 1e-9, end_silence_timeout: 0, max_length: 0.0004 },
    });
    assert.deepEqual([options?.initialTimeoutMs, options?.maxLengthMs], [1, 1]);
  });

  test('audio may stand in record.audio, in audio, or in record itself', () => {
    for (const given of [
      { record: { audio: { format: 'wav', max_length: 1.5 } } },
      { audio: { format: 'wav', max_length: 1.5 } },
      { record: { format: 'wav', max_length: 1.5 } },
    ]) {
      const { format, options } = wishes({ control_id: 'main', ...given });
      assert.deepEqual([format, options?.maxLengthMs], ['wav', 1500]);
    }
  });

  test('a length is as long as it is said to be; no recording comes to what is longer than a year', () => {
    const lengthOf = (max_length: number) => wishes({ audio: { max_length } }).options?.maxLengthMs;
    assert.deepEqual([lengthOf(100_000), lengthOf(1e12)], [100_000_000, 366 * 86_400_000]);
  });

  test('what is not known is refused wherever it stands: it would be a default', () => {
    for (const wrong of [
      { recrd: { audio: { format: 'wav' } } },
      { control_id: 'main', format: 'wav' },
      { record: { audio: {}, format: 'wav' } },
    ])
      assert.throws(() => wishes(wrong), /unrecognized_keys/);
    assert.equal(wishes({ id: 'leg', call_id: 'leg', node_id: 'n' }).format, 'mp3');
  });

  for (const wrong of [
    { volume: 5 },
    { format: 'flac' },
    { direction: 'none' },
    { input_sensitivity: 100.1 },
    { initial_timeout: -1 },
    { terminators: 'x' },
    { stereo: 'yes' },
  ])
    test(`refused: ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => wishes({ audio: wrong }));
      assert.throws(() => wishes({ record: wrong }));
    });
});
