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
    method: 'POST';
    headers: Record<string, string>;
    body: string;
    signal: AbortSignal;
  }): Promise<{ status: number }>;
}

export interface WebhookOptions {
  client: WebhookClient;
  /** `whsec_` and base64. */
  secret: Secret;
  clock: Clock;
  /** By dialect: the signatures that its receivers know, beside ours. */
  signatures?: Readonly<Record<string, (url: string, body: string) => Record<string, string>>> | undefined;
}

/** A signing secret in the form of Standard Webhooks. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * POSTs an event as JSON, signed as https://www.standardwebhooks.com says: `webhook-id` is the event's id, the same
 * in every attempt. Any 2xx counts as delivered.
 * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN
 */
export function webhookSender({ client, secret, clock, signatures = {} }: WebhookOptions): EventSender {
  const signer = new Webhook(secret.reveal());
  return async (event, { deliveryId, attempt, signal }) => {
    const body = JSON.stringify(event.payload);
    const timestamp = new Date(clock.unixMs());
    const { status } = await client.request({
      url: event.callbackUrl,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': event.eventId,
        'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
        'webhook-signature': signer.sign(event.eventId, timestamp, body),
        'callreel-delivery-id': deliveryId,
        'callreel-attempt': String(attempt),
        ...signatures[event.dialect ?? '']?.(event.callbackUrl, body),
      },
      body,
      signal,
    });
    if (status < 200 || status > 299)
      throw new CallreelError('CALLBACK_FAILED', `the receiver of the event answered ${status}`, {
        where: event.eventId,
      });
  };
}
