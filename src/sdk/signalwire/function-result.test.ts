import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FunctionResult } from './function-result.ts';

const emitted = (result: FunctionResult) => JSON.parse(JSON.stringify(result));
const withDefaults = (parameters: object) => ({
  stereo: false,
  format: 'wav',
  direction: 'both',
  beep: false,
  input_sensitivity: 44,
  ...parameters,
});
const recordCall = (parameters: object) => [
  { SWML: { version: '1.0.0', sections: { main: [{ record_call: withDefaults(parameters) }] } } },
];
const stopRecordCall = (parameters: object) => [
  { SWML: { version: '1.0.0', sections: { main: [{ stop_record_call: parameters }] } } },
];

test('what the vendor sent for "start_recording", byte for byte', () => {
  const result = new FunctionResult('Recording has started.').recordCall({
    stereo: true,
    format: 'wav',
    controlId: 'compliance_c-1',
  });
  assert.equal(
    JSON.stringify(result),
    '{"response":"Recording has started.","action":[{"SWML":{"version":"1.0.0","sections":{"main":[{"record_call":{"stereo":true,"format":"wav","direction":"both","beep":false,"input_sensitivity":44,"control_id":"compliance_c-1"}}]}}}]}',
  );
});

describe('the calls of the guide "Call Recording"', () => {
  const statusUrl = 'https://example.com/recording-complete';
  for (const [name, result, action] of [
    [
      'main',
      new FunctionResult().recordCall({ controlId: 'main', stereo: true, format: 'wav' }),
      recordCall({ stereo: true, control_id: 'main' }),
    ],
    [
      'mono',
      new FunctionResult('Recording in mono mode').recordCall({
        controlId: 'mono_rec',
        stereo: false,
        format: 'mp3',
      }),
      recordCall({ format: 'mp3', control_id: 'mono_rec' }),
    ],
    ['speak', new FunctionResult().recordCall({ direction: 'speak' }), recordCall({ direction: 'speak' })],
    ['listen', new FunctionResult().recordCall({ direction: 'listen' }), recordCall({ direction: 'listen' })],
    [
      'webhook',
      new FunctionResult().recordCall({ controlId: 'webhook_rec', statusUrl }),
      recordCall({ control_id: 'webhook_rec', status_url: statusUrl }),
    ],
    [
      'auto-stop',
      new FunctionResult().recordCall({ maxLength: 300, endSilenceTimeout: 5, terminators: '#' }),
      recordCall({ max_length: 300, end_silence_timeout: 5, terminators: '#' }),
    ],
    [
      'beep',
      new FunctionResult().recordCall({ beep: true, format: 'mp3' }),
      recordCall({ beep: true, format: 'mp3' }),
    ],
    [
      'stop by object',
      new FunctionResult().stopRecordCall({ controlId: 'main' }),
      stopRecordCall({ control_id: 'main' }),
    ],
    ['stop by name', new FunctionResult().stopRecordCall('main'), stopRecordCall({ control_id: 'main' })],
    ['stop the last', new FunctionResult().stopRecordCall(), stopRecordCall({})],
  ] as const)
    test(name, () => assert.deepEqual(emitted(result).action, action));

  test('chained: record and update the global data', () => {
    const result = new FunctionResult('Recording has begun.')
      .recordCall({ controlId: 'c', beep: true })
      .updateGlobalData({ recording_active: true });
    assert.deepEqual(emitted(result), {
      response: 'Recording has begun.',
      action: [
        ...recordCall({ beep: true, control_id: 'c' }),
        { set_global_data: { recording_active: true } },
      ],
    });
  });
});

test('an answer without text or action says that it is done; post_process stands only beside actions', () => {
  assert.deepEqual(emitted(new FunctionResult()), { response: 'Action completed.' });
  assert.deepEqual(emitted(new FunctionResult('Yes.', true)), { response: 'Yes.' });
  assert.deepEqual(emitted(new FunctionResult('', true).hangup()), {
    action: [{ hangup: true }],
    post_process: true,
  });
});

test('options that are undefined keep the default', () => {
  assert.deepEqual(
    emitted(new FunctionResult().recordCall({ format: undefined, beep: undefined })).action,
    recordCall({}),
  );
});
