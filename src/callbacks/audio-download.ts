import { type Dispatcher, request as undiciRequest } from 'undici';
import type { Clock } from '../clock.ts';
import { CallreelError, type ErrorCode } from '../errors.ts';
import type { AddressGuard } from './address-guard.ts';
import { readBoundedBody } from './bounded-body.ts';
import { authorizationHeader, displayUrl, parseUserUrl, withoutUserInfo } from './user-url.ts';

export interface AudioRequest {
  url: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  maxBytes: number;
  /** For the whole exchange, from the name look-up to the last byte. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Told how much memory the body takes, before it takes more; may abort `signal`. */
  takes?: ((bytes: number) => void) | undefined;
}

export interface AudioResponse {
  /** 304 only as the answer to a request with `if-none-match`. */
  status: 200 | 304;
  contentType: string;
  /** Empty when there is none. */
  etag: string;
  cacheControl: string;
  body: Uint8Array<ArrayBuffer>;
}

interface Surroundings {
  guard: AddressGuard;
  dispatcher: Dispatcher;
  clock: Clock;
  userAgent: string;
}

/**
 * One exchange that gives a binary file.
 * @throws CallreelError AUDIO_UNREACHABLE, AUDIO_TOO_LONG, CALLBACK_FORBIDDEN, REQUEST_INVALID (the URL)
 * @throws the signal's reason
 */
export async function downloadAudio(
  { guard, dispatcher, clock, userAgent }: Surroundings,
  request: AudioRequest,
): Promise<AudioResponse> {
  const { url, method = 'GET', headers = {}, body, maxBytes, timeoutMs, signal, takes } = request;
  signal?.throwIfAborted();
  const target = parseUserUrl(url, 'the URL of audio');
  const where = displayUrl(target);
  guard.checkHost(target.hostname);
  const fail = (code: ErrorCode, what: string, cause?: unknown) =>
    new CallreelError(code, `${method} ${where}: ${what}`, { where, cause });
  const end = new AbortController();
  let isLate = false;
  const timer = clock.after(timeoutMs, () => {
    isLate = true;
    end.abort();
  });
  try {
    const response = await undiciRequest(withoutUserInfo(target), {
      dispatcher,
      method,
      headers: { 'user-agent': userAgent, ...authorizationHeader(target), ...headers },
      body: body ?? null,
      signal: signal ? AbortSignal.any([signal, end.signal]) : end.signal,
    });
    const status = response.statusCode;
    const isUnchanged = status === 304 && 'if-none-match' in headers;
    if (status !== 200 && !isUnchanged)
      throw fail('AUDIO_UNREACHABLE', `answered ${status}${isRedirect(status) ? ', a redirect' : ''}`);
    const file = await readBoundedBody(response.body, maxBytes, takes);
    if (!file) throw fail('AUDIO_TOO_LONG', `longer than ${maxBytes} bytes`);
    const header = (name: string) => String(response.headers[name] ?? '');
    return {
      status: isUnchanged ? 304 : 200,
      contentType: header('content-type'),
      etag: header('etag'),
      cacheControl: header('cache-control'),
      body: file,
    };
  } catch (cause) {
    // Ends the connection of an answer that was not read to its end.
    end.abort();
    if (cause instanceof CallreelError) throw cause;
    signal?.throwIfAborted();
    const what = isLate ? `no complete answer within ${timeoutMs} ms` : describe(cause);
    throw fail('AUDIO_UNREACHABLE', what, cause);
  } finally {
    timer.cancel();
  }
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
