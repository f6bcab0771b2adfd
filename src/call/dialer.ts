import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { ClientCredentials } from '../sip/digest-client.ts';
import type { SipEnd, SipHeader } from '../sip/session.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { Leg } from './leg.ts';
import type { MediaPlane } from './media-plane.ts';

/** One way to reach a party: a trunk, or a registered phone. */
export interface DialTarget {
  requestUri: string;
  transport?: 'udp' | 'tcp';
  nextHop?: { address: string; port: number };
  credentials?: ClientCredentials;
  headers?: readonly SipHeader[];
  /** What the called party sees as the caller: a SIP URI or name-addr. */
  from: string;
}

export interface DialRequest {
  accountId: string;
  /** As the connection is known to the application. */
  from: string;
  to: string;
  /** Tried in this order, the next where one can not be reached or is out of order. */
  targets: readonly DialTarget[];
  /** Carries the room both parties will be in. */
  worker: MediaWorker;
  timeoutMs: number;
  /** Ends the attempt: the caller hung up. */
  signal: AbortSignal;
  ringing?(): void;
}

export interface DialerOptions {
  clock: Clock;
  userAgent(): UserAgent;
  media: MediaPlane;
  /** Takes the leg into the node's live calls. */
  adopt(leg: Leg): void;
}

/** Answers that say something about the trunk, not about the called party (RFC 3261, 21.5 and 21.4.9). */
const trunkFailures = new Set([408, 500, 502, 503, 504]);

/** Places calls. */
export class Dialer {
  readonly #options: DialerOptions;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * @returns the leg of the party that answered
   * @throws CallreelError DIAL_FAILED with the last answer's status, WORKER_LOST, PORTS_EXHAUSTED
   */
  async dial(request: DialRequest): Promise<Leg> {
    let last: SipEnd = { cause: 'error', reason: 'nowhere to call' };
    for (const target of request.targets) {
      const outcome = await this.#attempt(request, target);
      if (outcome instanceof Leg) return outcome;
      last = outcome;
      const sayNext =
        last.cause === 'error' || last.cause === 'timeout' || trunkFailures.has(last.status ?? 0);
      if (!sayNext || request.signal.aborted) break;
    }
    const why = request.signal.aborted
      ? 'the caller hung up'
      : `${last.status ?? last.cause} ${last.reason ?? ''}`;
    throw new CallreelError('DIAL_FAILED', `${request.to} was not reached: ${why.trim()}`, {
      where: request.to,
    });
  }

  async #attempt(request: DialRequest, target: DialTarget): Promise<Leg | SipEnd> {
    const { clock, media, userAgent, adopt } = this.#options;
    const { worker, accountId, from, to, signal } = request;
    const connectionId = newId();
    const peerAddress = target.nextHop?.address ?? '';
    const offer = await media.offer(connectionId, worker, peerAddress);
    const { promise, resolve } = Promise.withResolvers<Leg | SipEnd>();
    const { requestUri, transport, nextHop, credentials, headers } = target;
    const handlers = { ended: () => undefined };
    const session = userAgent().invite({
      requestUri,
      from: target.from,
      offer,
      transport,
      nextHop,
      credentials,
      headers,
      handlers,
    });
    const connection = {
      connectionId,
      accountId,
      from,
      to,
      direction: 'outgoing' as const,
      sipCallId: session.callId,
      startedUnixMs: clock.unixMs(),
    };
    const leg = new Leg(connection, session, media, worker);
    adopt(leg);
    const timeout: Timer = clock.after(request.timeoutMs, () => leg.hangUp('no answer'));
    const abort = () => leg.hangUp('the caller hung up');
    signal.addEventListener('abort', abort, { once: true });
    leg.addHandlers({
      progress: (status) => status === 180 && request.ringing?.(),
      answered: () => resolve(leg),
      ended: (end) => resolve(end),
    });
    if (signal.aborted) abort();
    try {
      return await promise;
    } finally {
      timeout.cancel();
      signal.removeEventListener('abort', abort);
    }
  }
}
