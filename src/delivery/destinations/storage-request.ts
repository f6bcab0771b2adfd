import type { Clock } from '../../clock.ts';
import { CallreelError } from '../../errors.ts';
import type { StoredObject } from './destination.ts';
import { type StorageFailure, storageError } from './storage-error.ts';

/** For a request without a body: a storage that makes an object of 10,000 parts takes its time. */
const baseLimitMs = 60_000;
/** The slowest uplink that is given a chance. */
const minBytesPerMs = 32;

/** What the requests of one destination have in common. */
export interface StorageRequests {
  clock: Clock;
  /** Never in a message, whatever the storage quotes. */
  secrets: readonly string[];
  /** What users know an object by. */
  urlOf(key: string): string;
  /** Reads the error of the client library. */
  failureOf(error: unknown): StorageFailure;
}

/**
 * One request to a storage, with a time limit that allows for its body. Nothing of the library's own error is kept:
 * it holds the request, and with it the signature.
 * @throws CallreelError as `Destination` says; the reason of `signal` when that was aborted
 */
export type StorageRequester = <T>(
  object: StoredObject,
  bodyBytes: number,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

export function storageRequester({ clock, secrets, urlOf, failureOf }: StorageRequests): StorageRequester {
  return async ({ key }, bodyBytes, signal, send) => {
    const what = urlOf(key);
    signal.throwIfAborted();
    const limitMs = baseLimitMs + bodyBytes / minBytesPerMs;
    const deadline = new AbortController();
    const timer = clock.after(limitMs, () => deadline.abort());
    try {
      return await send(AbortSignal.any([signal, deadline.signal]));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.signal.aborted)
        throw storageError(what, { text: `no answer within ${Math.round(limitMs / 1000)} s` }, secrets);
      const ours = ownError(error);
      if (ours?.code.startsWith('DESTINATION_')) throw ours;
      if (ours?.code === 'CALLBACK_FORBIDDEN')
        throw new CallreelError('DESTINATION_FORBIDDEN', ours.message, { where: what });
      throw storageError(what, failureOf(error), secrets);
    } finally {
      timer.cancel();
    }
  };
}

/** Ours may come wrapped: the guard of addresses fails a connection. */
function ownError(error: unknown): CallreelError | undefined {
  let inner = error;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    if (inner instanceof CallreelError) return inner;
    inner = inner.cause;
  }
  return undefined;
}

/** The system's word for what went wrong on the way, or the library's. */
export function connectionFailure(error: unknown): StorageFailure {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  const word =
    typeof code === 'string' ? code : typeof name === 'string' && name !== 'Error' ? name : undefined;
  const said = typeof message === 'string' ? message.trim() : '';
  return { name: word, text: said === '' ? 'the connection failed' : said };
}
