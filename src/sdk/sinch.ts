export type { RequestHeaders, SignedRequest } from './request-headers.ts';
export * from './sinch/callback-signature.ts';
export * from './sinch/document.ts';
export type * from './sinch/events.ts';
export type * from './sinch/options.ts';
export * from './sinch/request-signature.ts';
export type * from './sinch/requests.ts';
export { WebhookError, type WebhookFault, type WebhookOptions } from './webhook-signature.ts';
