import { createHash, createHmac } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import { equalInConstantTime } from '../constant-time.ts';
import { headerOf, type SignedRequest } from '../request-headers.ts';
import { WebhookError, type WebhookOptions } from '../webhook-signature.ts';
import type { SinchEvent } from './events.ts';

/** Of the application, as the server has them; the secret is base64. */
export interface ApplicationKeys {
  applicationKey: string;
  applicationSecret: string;
}

/** A callback as it came. */
export interface SignedCallback extends SignedRequest {
  /** As the server called it, without host and query: behind a proxy not as your program sees it. */
  path: string;
  /** POST unless given. */
  method?: string;
}

const defaultToleranceSeconds = 300;

/**
 * An event that Callreel sent to a callback URL, its signature checked: `Authorization: Application KEY:SIGNATURE`,
 * HMAC-SHA256 over method, MD5 of the body, content type, `x-timestamp` and path.
 * @throws WebhookError
 */
export function verifyCallback(
  { applicationKey, applicationSecret }: ApplicationKeys,
  { headers, body, path, method = 'POST' }: SignedCallback,
  { toleranceSeconds = defaultToleranceSeconds, nowMs = systemClock.unixMs() }: WebhookOptions = {},
): SinchEvent {
  const key = Buffer.from(applicationSecret, 'base64');
  if (key.length === 0) throw new TypeError('the application secret is empty');
  const header = (name: string): string => {
    const value = headerOf(headers, name);
    if (value) return value;
    throw new WebhookError('header-missing', `there is no ${name} header`);
  };
  const timestamp = header('x-timestamp');
  const authorization = header('authorization');
  checkAge(Date.parse(timestamp), nowMs, toleranceSeconds);
  const md5 = body.length === 0 ? '' : createHash('md5').update(body).digest('base64');
  const contentType = headerOf(headers, 'content-type') ?? '';
  const text = [method.toUpperCase(), md5, contentType, `x-timestamp:${timestamp}`, path].join('\n');
  const expected = createHmac('sha256', key).update(text).digest();
  const [, givenKey, signature = ''] = /^application +([^\s:]+):(\S+)$/i.exec(authorization) ?? [];
  if (givenKey !== applicationKey || !equalInConstantTime(Buffer.from(signature, 'base64'), expected))
    throw new WebhookError('signature-wrong', 'the signature of the authorization header does not fit');
  return parse(body);
}

function checkAge(sentMs: number, nowMs: number, toleranceSeconds: number): void {
  if (Number.isNaN(sentMs)) throw new WebhookError('header-missing', 'the x-timestamp header is no time');
  if (sentMs < nowMs - toleranceSeconds * 1000)
    throw new WebhookError('too-old', `sent more than ${toleranceSeconds} s ago`);
  if (sentMs > nowMs + toleranceSeconds * 1000)
    throw new WebhookError('too-new', `sent more than ${toleranceSeconds} s in the future`);
}

function parse(body: string | Uint8Array): SinchEvent {
  try {
    const event: unknown = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'));
    if (typeof event === 'object' && event !== null && 'event' in event) return event as SinchEvent;
  } catch {
    // Told below.
  }
  throw new WebhookError('not-json', 'the body is no event in JSON');
}
