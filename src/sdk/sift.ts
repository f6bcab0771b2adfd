import type { NativeEvent } from './native-events.ts';
import type { SiftEvent } from './sift/events.ts';
import { verifyWebhook as verify, type WebhookVerifier } from './webhook-signature.ts';

export type { NativeEvent, RecordingChangedEvent } from './native-events.ts';
export type { RequestHeaders, SignedRequest } from './request-headers.ts';
export * from './sift/commands.ts';
export type * from './sift/events.ts';
export type * from './sift/requests.ts';
export * from './sift/routine.ts';
export { WebhookError, type WebhookFault, type WebhookOptions } from './webhook-signature.ts';

/**
 * An event that Callreel sent to an `event_callback` or a `status_url`, its signature checked.
 * @throws WebhookError
 */
export const verifyWebhook = verify as WebhookVerifier<SiftEvent | NativeEvent>;
