import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { EventSender } from './outbox.ts';

/** What a webhook needs of the client for user-given URLs (`callbacks/callback-client`). */
export interface WebhookClient {
  request(request: {
    url: string;
    method: 'GET' | 'POST';
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
  }): Promise<{ status: number }>;
}

/** What an event is sent as; `headers` are beside those that every event has. */
export interface EventRequest {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

export interface WebhookOptions {
  client: WebhookClient;
  /** `whsec_` and base64. */
  secret: Secret;
  clock: Clock;
  /** By dialect: the signatures that its receivers know, beside ours. */
  signatures?: Readonly<Record<string, (url: string, body: string) => Record<string, string>>> | undefined;
  /** By dialect: the request, where its receivers know another one than a POST of JSON. */
  requests?: Readonly<Record<string, (url: string, payload: unknown) => EventRequest>> | undefined;
}

/** A signing secret in the form of Standard Webhooks. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * POSTs an event as JSON, signed as https://www.standardwebhooks.com says: `webhook-id` is the event's id, the same
 * in every attempt. A dialect may have another request: the signature is then of its body, empty for GET. Any 2xx counts as delivered.
 * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN
 */
export function webhookSender({
  client,
  secret,
  clock,
  signatures = {},
  requests = {},
}: WebhookOptions): EventSender {
  const signer = new Webhook(secret.reveal());
  return async (event, { deliveryId, attempt, signal }) => {
    const { dialect, callbackUrl, payload } = event;
    const own = requests[dialect ?? '']?.(callbackUrl, payload);
    const body = own ? (own.body ?? '') : JSON.stringify(payload);
    const timestamp = new Date(clock.unixMs());
    const { status } = await client.request({
      url: own?.url ?? callbackUrl,
      method: own?.method ?? 'POST',
      headers: {
        ...(!own && { 'content-type': 'application/json' }),
        'webhook-id': event.eventId,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': signer.sign(event.eventId, timestamp, body),
        'callreel-delivery-id': deliveryId,
        'callreel-attempt': String(attempt),
        ...(own ? own.headers : signatures[dialect ?? '']?.(callbackUrl, body)),
      },
      ...(own?.method !== 'GET' && { body }),
      signal,
    });
    if (status < 200 || status > 299)
      throw new CallreelError('CALLBACK_FAILED', `the receiver of the event answered ${status}`, {
        where: event.eventId,
      });
  };
}
