import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Event } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Delivery, EventSender } from './outbox.ts';

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
  signatures?: Readonly<Record<string, Signer>> | undefined;
  /** By dialect: the request, where its receivers know another one than a POST of JSON. */
  requests?: Readonly<Record<string, (url: string, payload: unknown) => EventRequest>> | undefined;
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
 * in every attempt. A dialect may have another request; the signature is then of its body, empty for GET. Any 2xx
 * counts as delivered; of two URLs the second is tried where the first does not take it.
 * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN
 */
export function webhookSender(options: WebhookOptions): EventSender {
  const sign = standardSigner(options.secret);
  return async (event, delivery) => {
    try {
      await post(event.callbackUrl, event, delivery, sign, options);
    } catch (error) {
      if (!event.fallbackUrl || delivery.signal.aborted) throw error;
      await post(event.fallbackUrl, event, delivery, sign, options);
    }
  };
}

/** @param timestamp Unix time in seconds */
type StandardSigner = (eventId: string, timestamp: string, body: string) => string;

/** @throws TypeError for a secret that is no base64 */
function standardSigner(secret: Secret): StandardSigner {
  const text = secret.reveal().replace(/^whsec_/, '');
  const key = Buffer.from(text, 'base64');
  const unpadded = (base64: string): string => base64.replace(/=+$/, '');
  if (key.length === 0 || unpadded(key.toString('base64')) !== unpadded(text))
    throw new TypeError('the secret of webhooks is no base64');
  return (eventId, timestamp, body) =>
    `v1,${createHmac('sha256', key).update(`${eventId}.${timestamp}.${body}`).digest('base64')}`;
}

async function post(
  url: string,
  { eventId, payload, dialect, signer }: Event,
  { deliveryId, attempt, signal }: Delivery,
  sign: StandardSigner,
  { client, clock, signatures = {}, requests = {} }: WebhookOptions,
): Promise<void> {
  const own = requests[dialect ?? '']?.(url, payload);
  const body = own ? (own.body ?? '') : JSON.stringify(payload);
  const timestamp = String(Math.floor(clock.unixMs() / 1000));
  const { status } = await client.request({
    url: own?.url ?? url,
    method: own?.method ?? 'POST',
    headers: {
      ...(!own && { 'content-type': 'application/json' }),
      'webhook-id': eventId,
      'webhook-timestamp': timestamp,
      'webhook-signature': sign(eventId, timestamp, body),
      'callreel-delivery-id': deliveryId,
      'callreel-attempt': String(attempt),
      ...(own ? own.headers : await signatures[dialect ?? '']?.(url, body, signer ?? undefined)),
    },
    ...(own?.method !== 'GET' && { body }),
    signal,
  });
  if (status < 200 || status > 299)
    throw new CallreelError('CALLBACK_FAILED', `the receiver of the event answered ${status}`, {
      where: eventId,
    });
}
