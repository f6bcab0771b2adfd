import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { type CodecPreference, codecAndClock } from '../sdp/negotiation.ts';
import type { SrtpPolicy } from '../sdp/srtp-parameters.ts';
import type { ClientCredentials } from '../sip/digest-client.ts';
import type { RedirectConsent } from '../sip/redirect.ts';
import type { SipEnd, SipHeader } from '../sip/session.ts';
import type { UserAgent } from '../sip/user-agent.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { type CallEndReason, callEndReason, hangUpReasons, isWayFailure } from './end-reason.ts';
import { Leg } from './leg.ts';
import type { MediaPlane } from './media-plane.ts';

/** One way to reach a party: a gateway of a trunk, or a registered phone. */
export interface DialTarget {
  requestUri: string;
  transport?: 'udp' | 'tcp' | 'tls';
  nextHop?: { address: string; port?: number };
  /** Over TLS: false takes whatever certificate the peer shows. */
  tlsVerify?: boolean;
  credentials?: ClientCredentials;
  headers?: readonly SipHeader[];
  /** Values of Route: the Path of a binding. */
  route?: readonly string[];
  /** Consents to places that the called party is redirected to; without it no redirection is followed. */
  redirect?: RedirectConsent;
  /** What the called party sees as the caller: a SIP URI or name-addr. */
  from: string;
  /** The trunk it goes by. */
  trunkId?: string;
  /** Offered before others. */
  codecs?: readonly CodecPreference[] | undefined;
  /** Without it: as it is set for all calls. */
  srtp?: SrtpPolicy | undefined;
}

export interface DialRequest {
  accountId: string;
  /** As the connection is known to the application. */
  from: string;
  to: string;
  /** `in-order`: the next where one can not be reached or is out of order. `at-once`: all ring, the first answer wins. */
  order: 'in-order' | 'at-once';
  targets: readonly DialTarget[];
  /** The leg it is for: what it speaks is offered first, so that nothing need be transcoded. */
  callerId: string;
  /** Gives each leg its id; without it: a new one. */
  legId?: (() => string) | undefined;
  /** How many hops the call has left; without it, as many as a new one. */
  maxForwards?: number | undefined;
  /** Carries the room both parties will be in. */
  worker: MediaWorker;
  timeoutMs: number;
  /** It is put into its room as soon as it answers, and asked nothing before. */
  joinsAtAnswer: boolean;
  /** Ends the attempt: the caller hung up, or for the reason of `hangUpReasons` that it was aborted with. */
  signal: AbortSignal;
  /** A leg is on its way; before anything is on record of it. */
  begun?(leg: Leg): void;
  /** A leg that rings, or speaks before the answer: `hasMedia` where its answer so far carries media. */
  progress?(leg: Leg, status: number, hasMedia: boolean): void;
}

export interface DialerOptions {
  clock: Clock;
  userAgent(): UserAgent;
  media: MediaPlane;
  /** Takes the leg into the node's live calls, and into the call of the leg it was placed for. */
  adopt(leg: Leg, placedFor: string): void;
}

/** More ways than that to one party are a mistake in the trunks, and money. */
const maxAttempts = 8;
const maxForks = 10;
/** A way that says nothing at all for so long is given up for the next; the last one has as long as SIP gives it. */
const noResponseMs = 5_000;

/** Places calls. */
export class Dialer {
  readonly #options: DialerOptions;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /**
   * @returns the leg of the party that answered
   * @throws CallreelError DIAL_FAILED with the reason, WORKER_LOST, PORTS_EXHAUSTED
   */
  async dial(request: DialRequest): Promise<Leg> {
    if (request.maxForwards !== undefined && request.maxForwards < 1)
      throw new DialFailure(request.to, 'failed', {
        cause: 'rejected',
        status: 483,
        reason: 'Too Many Hops',
      });
    const outcome = request.order === 'at-once' ? await this.#fork(request) : await this.#inOrder(request);
    if (outcome instanceof Leg) return outcome;
    const reason = request.signal.aborted ? 'cancelled' : callEndReason(outcome, false);
    throw new DialFailure(request.to, reason, outcome);
  }

  async #inOrder(request: DialRequest): Promise<Leg | SipEnd> {
    let last: SipEnd = { cause: 'error', reason: 'nowhere to call' };
    const targets = request.targets.slice(0, maxAttempts);
    for (const target of targets) {
      const patienceMs = target === targets.at(-1) ? undefined : noResponseMs;
      const outcome = await this.#attempt(request, target, request.signal, patienceMs);
      if (outcome instanceof Leg) return outcome;
      last = outcome;
      if (!isWayFailure(last) || request.signal.aborted) break;
    }
    return last;
  }

  /** RFC 3261 section 16.7: the first 2xx cancels the others; a 6xx ends them all. */
  async #fork(request: DialRequest): Promise<Leg | SipEnd> {
    const decided = new AbortController();
    const signal = AbortSignal.any([request.signal, decided.signal]);
    let winner: Leg | undefined;
    const ends: SipEnd[] = [];
    const ring = async (target: DialTarget): Promise<void> => {
      const outcome = await this.#attempt(request, target, signal);
      if (!(outcome instanceof Leg)) {
        ends.push(outcome);
        if ((outcome.status ?? 0) >= 600) decided.abort();
      } else if (winner === undefined && !decided.signal.aborted) {
        winner = outcome;
        decided.abort();
      } else outcome.hangUp(hangUpReasons.answeredElsewhere);
    };
    const forks = await Promise.allSettled(request.targets.slice(0, maxForks).map(ring));
    if (winner !== undefined) return winner;
    const broken = forks.find((fork) => fork.status === 'rejected');
    if (broken !== undefined && ends.length === 0) throw broken.reason;
    return best(ends);
  }

  async #attempt(
    request: DialRequest,
    target: DialTarget,
    signal: AbortSignal,
    patienceMs?: number,
  ): Promise<Leg | SipEnd> {
    const { clock, media, userAgent, adopt } = this.#options;
    const { worker, accountId, from, to, legId = newId } = request;
    const connectionId = legId();
    const peerAddress = await userAgent().peerAddress(target);
    const offer = await media.offer(connectionId, worker, peerAddress, {
      offerCodecs: this.#offered(request, target),
      srtp: target.srtp,
      joinsAtAnswer: request.joinsAtAnswer,
      secureSignalling: target.transport === 'tls' || /^sips:|;transport=tls/i.test(target.requestUri),
    });
    const consent = new RememberedConsent(target.redirect);
    const way = { ...target, redirect: consent.asked };
    const session = await this.#invite(connectionId, request, way, offer);
    const connection = {
      connectionId,
      accountId,
      from,
      to,
      direction: 'outgoing' as const,
      sipCallId: session.callId,
      startedUnixMs: clock.unixMs(),
      trunkId: target.trunkId,
    };
    const leg = new Leg(connection, session, media, worker);
    request.begun?.(leg);
    adopt(leg, request.callerId);
    const { promise, resolve } = Promise.withResolvers<Leg | SipEnd>();
    const timeout = clock.after(request.timeoutMs, () => leg.hangUp(hangUpReasons.noAnswer));
    const patience =
      patienceMs === undefined
        ? undefined
        : clock.after(patienceMs, () => leg.hangUp(hangUpReasons.noResponse));
    const abort = () =>
      leg.hangUp(request.signal.aborted ? givenUp(request.signal) : hangUpReasons.answeredElsewhere);
    signal.addEventListener('abort', abort, { once: true });
    const removeHandlers = leg.addHandlers({
      responded: () => patience?.cancel(),
      progress: (status, hasMedia) => request.progress?.(leg, status, hasMedia),
      answered: () => resolve(leg),
      ended: (end) => resolve(end),
    });
    if (signal.aborted) abort();
    try {
      const outcome = await promise;
      // It went nowhere for want of an answer of ours: that is nothing the called party said.
      if (!(outcome instanceof Leg) && consent.failure !== undefined && !signal.aborted)
        throw consent.failure;
      return outcome;
    } finally {
      timeout.cancel();
      patience?.cancel();
      // They would keep all that was asked for as long as the call.
      removeHandlers();
      signal.removeEventListener('abort', abort);
    }
  }

  /** The caller's own codec, where the way takes it; then what the way wants. */
  #offered({ callerId }: DialRequest, { codecs }: DialTarget): CodecPreference[] {
    const spoken = this.#options.media.codecOf(callerId);
    const name = spoken && codecAndClock(spoken).codec;
    const taken =
      name !== undefined && (codecs?.some((codec) => codecAndClock(codec).codec === name) ?? true);
    return [...(taken ? [spoken as CodecPreference] : []), ...(codecs ?? [])];
  }

  /** A way that makes no SIP message leaves no port open. */
  async #invite(
    connectionId: string,
    { worker, maxForwards }: DialRequest,
    target: DialTarget,
    offer: string,
  ) {
    const { trunkId: _trunkId, codecs: _codecs, srtp: _srtp, ...way } = target;
    try {
      return this.#options
        .userAgent()
        .invite({ ...way, offer, maxForwards, handlers: { ended: () => undefined } });
    } catch (error) {
      await this.#options.media.close(connectionId, worker);
      throw error;
    }
  }
}

/** Knows of what kept the question from being answered: to the call that is as good as a no. */
class RememberedConsent {
  failure: unknown;
  readonly asked: RedirectConsent | undefined;

  constructor(ask: RedirectConsent | undefined) {
    this.asked = ask && (async (uri) => await this.#ask(ask, uri));
  }

  async #ask(ask: RedirectConsent, uri: string): Promise<boolean> {
    try {
      return await ask(uri);
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }
}

function givenUp({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? reason : hangUpReasons.callerHungUp;
}

/** Nobody answered. `reason` says it in nobody's dialect. */
export class DialFailure extends CallreelError {
  readonly reason: CallEndReason;
  /** Undefined where no SIP status ended it. */
  readonly sipStatus: number | undefined;

  constructor(to: string, reason: CallEndReason, { status, cause, reason: text }: SipEnd) {
    const said = [reason === 'cancelled' ? undefined : (status ?? cause), text].filter(Boolean).join(' ');
    super('DIAL_FAILED', `${to} was not reached: ${reason}${said === '' ? '' : ` (${said})`}`, { where: to });
    this.reason = reason;
    this.sipStatus = status;
  }
}

/** Of several refusals the one that says most about the called party. */
function best(ends: readonly SipEnd[]): SipEnd {
  const weight = (end: SipEnd): number => {
    if ((end.status ?? 0) >= 600) return 0;
    if (end.status === 486) return 1;
    return isWayFailure(end) ? 3 : 2;
  };
  return ends.toSorted((a, b) => weight(a) - weight(b))[0] ?? { cause: 'error', reason: 'nowhere to call' };
}
