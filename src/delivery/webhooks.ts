import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../clock.ts';
import type { Event } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Delivery, EventSender } from './outbox.ts';

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
  signatures?: Readonly<Record<string, Signer>> | undefined;
}

/**
 * @param signer of the event: whose secret is used, in dialects whose applications have one each
 * @returns headers; also those that stand in place of ours
 */
export type Signer = (
  url: string,
  body: string,
  signer: string | undefined,
) => Record<string, string> | Promise<Record<string, string>>;

/** A signing secret in the form of Standard Webhooks. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * POSTs an event as JSON, signed as https://www.standardwebhooks.com says: `webhook-id` is the event's id, the same
 * in every attempt. Any 2xx counts as delivered; of two URLs the second is tried where the first does not take it.
 * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN
 */
export function webhookSender(options: WebhookOptions): EventSender {
  const standard = new Webhook(options.secret.reveal());
  return async (event, delivery) => {
    try {
      await post(event.callbackUrl, event, delivery, standard, options);
    } catch (error) {
      if (!event.fallbackUrl || delivery.signal.aborted) throw error;
      await post(event.fallbackUrl, event, delivery, standard, options);
    }
  };
}

async function post(
  url: string,
  { eventId, payload, dialect, signer }: Event,
  { deliveryId, attempt, signal }: Delivery,
  standard: Webhook,
  { client, clock, signatures = {} }: WebhookOptions,
): Promise<void> {
  const body = JSON.stringify(payload);
  const timestamp = new Date(clock.unixMs());
  const { status } = await client.request({
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': eventId,
      'webhook-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
      'webhook-signature': standard.sign(eventId, timestamp, body),
      'callreel-delivery-id': deliveryId,
      'callreel-attempt': String(attempt),
      ...(await signatures[dialect ?? '']?.(url, body, signer ?? undefined)),
    },
    body,
    signal,
  });
  if (status < 200 || status > 299)
    throw new CallreelError('CALLBACK_FAILED', `the receiver of the event answered ${status}`, {
      where: eventId,
    });
}
