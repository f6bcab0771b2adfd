import type { NativeEvent } from './native-events.ts';
import type { SignalWireEvent } from './signalwire/events.ts';
import { verifyWebhook as verify, type WebhookVerifier } from './webhook-signature.ts';

export type { NativeEvent, RecordingChangedEvent } from './native-events.ts';
export type { RequestHeaders, SignedRequest } from './request-headers.ts';
export { Steps, SwmlBuilder, type SwmlDocument, steps, swml } from './signalwire/document.ts';
export type * from './signalwire/events.ts';
export { type FunctionAnswer, FunctionResult } from './signalwire/function-result.ts';
export {
  answer,
  cond,
  connect,
  execute,
  goto,
  hangup,
  joinConference,
  label,
  play,
  prompt,
  record,
  recordCall,
  request,
  returnValue,
  sendDigits,
  set,
  sleep,
  stopRecordCall,
  switchOn,
  transfer,
  unset,
  userEvent,
} from './signalwire/methods.ts';
export type * from './signalwire/options.ts';
export { validateRequest, verifyRequest } from './signalwire/request-signature.ts';
export type * from './signalwire/requests.ts';
export * from './signalwire/values.ts';
export { WebhookError, type WebhookFault, type WebhookOptions } from './webhook-signature.ts';

/**
 * An event that Callreel sent to a `status_url` or an `event_callback`, its signature checked.
 * @throws WebhookError
 */
export const verifyWebhook = verify as WebhookVerifier<SignalWireEvent | NativeEvent>;
