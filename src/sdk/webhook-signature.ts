import { createHmac } from 'node:crypto';
import { systemClock } from '../clock.ts';
import { equalInConstantTime } from './constant-time.ts';
import { headerOf, type SignedRequest } from './request-headers.ts';

export type WebhookFault = 'header-missing' | 'too-old' | 'too-new' | 'signature-wrong' | 'not-json';

/** A request that is no event of ours, or an old one that somebody sends again. Answer it 400 or 401. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly fault: WebhookFault;

  constructor(fault: WebhookFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export interface WebhookOptions {
  /** How far its time may be from ours, in either direction. 300 unless given. */
  toleranceSeconds?: number | undefined;
  /** Unix time in ms, for tests. */
  nowMs?: number | undefined;
}

export type WebhookVerifier<Event> = (
  secret: string,
  request: SignedRequest,
  options?: WebhookOptions,
) => Event;

const defaultToleranceSeconds = 300;

/**
 * An event of Callreel, checked by the Standard Webhooks convention (https://www.standardwebhooks.com): HMAC-SHA256
 * over `webhook-id.webhook-timestamp.body`. The same event may come again, with the same `webhook-id`.
 * @param secret `whsec_` and base64, as in the server's settings
 * @throws WebhookError
 */
export function verifyWebhook(
  secret: string,
  { headers, body }: SignedRequest,
  { toleranceSeconds = defaultToleranceSeconds, nowMs = systemClock.unixMs() }: WebhookOptions = {},
): unknown {
  const header = (name: string): string => {
    const value = headerOf(headers, name);
    if (value) return value;
    throw new WebhookError('header-missing', `there is no ${name} header`);
  };
  const id = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  const signatures = header('webhook-signature');
  checkAge(timestamp, nowMs / 1000, toleranceSeconds);
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  if (!signatures.split(' ').some((signature) => isSignature(signature, expected)))
    throw new WebhookError('signature-wrong', 'no signature of the webhook-signature header fits');
  return parse(body);
}

function checkAge(timestamp: string, nowSeconds: number, toleranceSeconds: number): void {
  const sentSeconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN;
  if (Number.isNaN(sentSeconds))
    throw new WebhookError('header-missing', 'the webhook-timestamp header is no Unix time');
  if (sentSeconds < nowSeconds - toleranceSeconds)
    throw new WebhookError('too-old', `sent more than ${toleranceSeconds} s ago`);
  if (sentSeconds > nowSeconds + toleranceSeconds)
    throw new WebhookError('too-new', `sent more than ${toleranceSeconds} s in the future`);
}

/** There may be several, of a former key or another scheme: `v1,BASE64 v1a,BASE64`. */
function isSignature(signature: string, expected: Uint8Array): boolean {
  const [scheme, value = ''] = signature.split(',');
  return scheme === 'v1' && equalInConstantTime(Buffer.from(value, 'base64'), expected);
}

function parse(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'));
  } catch {
    throw new WebhookError('not-json', 'the body is not JSON');
  }
}
