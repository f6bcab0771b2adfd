/** A program as an application writer writes it; it prints one JSON object. What is expected to fail must not compile. */
export const consumerSource = `
import { joinConference, routine, verifyWebhook as verifySift } from 'callreel/sift';
import { FunctionResult, recordCall, swml, verifyRequest, verifyWebhook, WebhookError } from 'callreel/signalwire';
import type { DocumentRequest, SwmlDocument } from 'callreel/signalwire';
import { svaml, verifyCallback } from 'callreel/sinch';

declare const console: { log(text: string): void };
declare const process: { argv: string[]; version: string };

const document: SwmlDocument = swml()
  .recordCall({ beep: true, terminators: '#' })
  .play({ urls: ['say:Leave your message now', 'silence:10'] })
  .stopRecordCall({})
  .play({ urls: ['say:Playing back', '\${record_call_url}'] })
  .toJSON();

// @ts-expect-error: no such format
svaml().startRecording({ destinationUrl: 's3://bucket/', format: 'ogg' });

// @ts-expect-error: no such format
recordCall({ format: 'ogg' });

function answerTo(request: DocumentRequest): string {
  return JSON.stringify(swml().answer().play(\`say:You call \${request.call.to}\`));
}

function faultOf(): string {
  try {
    const event = verifyWebhook('whsec_c2VjcmV0', { headers: {}, body: '' });
    if ('type' in event) return event.type;
    return event.event_type === 'calling.call.record' ? event.params.state : event.event_type;
  } catch (error) {
    if (error instanceof WebhookError) return error.fault;
    throw error;
  }
}

const result = new FunctionResult('Recording has started.');
console.log(
  JSON.stringify({
    recordCall: recordCall({ controlId: 'main', stereo: true, format: 'wav' }),
    action: result.recordCall({ controlId: 'main', stereo: true, format: 'wav' }),
    document,
    routine: routine(joinConference({ conferenceName: 'a', doRecord: true })),
    answer: typeof answerTo,
    fault: faultOf(),
    sift: typeof verifySift,
    svaml: svaml().say('Hello').hangup(),
    sinch: typeof verifyCallback,
    signed: verifyRequest('key', { url: 'https://app.example/', headers: {}, body: '' }),
  }),
);
`;
