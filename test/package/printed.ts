import assert from 'node:assert/strict';

const recording = { control_id: 'main', stereo: true, format: 'wav' };

/** That the application of `consumer-source.ts` printed what it must. */
export function assertPrinted(printed: Record<string, unknown>): void {
  assert.deepEqual(printed, {
    recordCall: { record_call: recording },
    action: {
      response: 'Recording has started.',
      action: [
        {
          SWML: {
            version: '1.0.0',
            sections: {
              main: [
                { record_call: { ...recording, direction: 'both', beep: false, input_sensitivity: 44 } },
              ],
            },
          },
        },
      ],
    },
    document: {
      version: '1.0.0',
      sections: {
        main: [
          { record_call: { beep: true, terminators: '#' } },
          { play: { urls: ['say:Leave your message now', 'silence:10'] } },
          { stop_record_call: {} },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: SWML's variable
          { play: { urls: ['say:Playing back', '${record_call_url}'] } },
        ],
      },
    },
    routine: { routine: [{ name: 'JoinConference', conference_name: 'a', do_record: true }] },
    answer: 'function',
    fault: 'header-missing',
    sift: 'function',
    svaml: { instructions: [{ name: 'say', text: 'Hello' }], action: { name: 'hangup' } },
    sinch: 'function',
    signed: false,
  });
}
