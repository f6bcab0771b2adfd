import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { hopsLeft } from '../sip/max-forwards.ts';
import type { SipAddress, SipHeader, SipRejection } from '../sip/session.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Conference, JoinOptions, StayEnd } from './conference.ts';
import { type Dialer, DialFailure, type DialTarget } from './dialer.ts';
import { EarlyMedia } from './early-media.ts';
import { hangUpReasons, refusalFor } from './end-reason.ts';
import { assertExtraHeaders } from './extra-headers.ts';
import { Leg } from './leg.ts';

/** Whom to call, as an application says it. */
export type CallTarget =
  | { kind: 'phone'; number: string }
  | { kind: 'client'; name: string }
  /** As a party names it that transfers a call: any of the others, or a SIP URI. */
  | { kind: 'address'; address: SipAddress };

/** Where that is. */
export interface ResolvedTarget {
  /** The called party's name on its connection. */
  to: string;
  /** The caller's. */
  from: string;
  ways: readonly DialTarget[];
  /** How the ways are tried (`DialRequest`). */
  order: 'in-order' | 'at-once';
}

/** How one party is called. */
export interface ConnectManner {
  /** What the called party sees as the caller; without it the number that was called to get here. */
  from?: string | undefined;
  /** How long it may ring. */
  timeoutMs?: number | undefined;
  /** More of the INVITE. */
  headers?: readonly SipHeader[] | undefined;
}

/** What is not here is that of the whole request; the headers of both are sent. */
export interface ConnectTo extends ConnectManner {
  target: CallTarget;
}

export interface ConnectRequest extends ConnectManner {
  /** Called in order, those in one of them at once: the first answer wins. */
  groups: readonly (readonly ConnectTo[])[];
  /** The called party is hung up so long after its answer. */
  maxDurationMs?: number | undefined;
  /** The caller is answered when the called party answers, not before. */
  answerOnBridge?: boolean | undefined;
  /** Plays to the caller while it rings, in place of a tone and of what the called side sends. */
  ringback?(caller: Leg): { stop(): void };
  /** Somebody answered, and is put through. */
  connected?(peer: ConnectedPeer): void;
  /**
   * Asked when the called party has answered, ahead of being put through; the caller waits meanwhile.
   * @param signal aborted when the caller waits no longer; the called party is hung up then
   * @returns false: it is not put through, and what becomes of its call is whoever's who was asked
   */
  answered?(called: Leg, signal: AbortSignal): Promise<boolean>;
  join: Omit<JoinOptions, 'leaveKey'>;
}

export interface ConnectedPeer {
  connectionId: string;
  from: string;
  to: string;
  /** Of a call by a trunk. */
  trunkId?: string | undefined;
}

export interface ConnectResult {
  outcome: 'connected' | 'failed';
  /** Why nobody was reached: a `CallEndReason`, or a code of the catalogue, in lower case with hyphens. */
  reason?: string;
  /** The last refusal's. */
  sipStatus?: number;
  /** Who answered. */
  peer?: ConnectedPeer;
  /** The called party hung up; or the caller's side did: its party, its document, the longest duration. */
  endedBy?: 'caller' | 'called';
}

export interface ConnectorOptions {
  dialer: Dialer;
  clock: Clock;
  log: Logger;
  answerTimeoutMs: number;
  /**
   * @param from what the called party is to see as the caller, where that was said
   * @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND (no such client is registered)
   */
  resolve(leg: Leg, target: CallTarget, from?: string): Promise<ResolvedTarget>;
  /** Opens the room of two; it is finished like any other. */
  openPair(leg: Leg, dialect: string): Conference;
}

/** A party without a document: its call ends with its stay. */
export async function seat(
  conference: Pick<Conference, 'join'>,
  leg: Leg,
  options: JoinOptions,
): Promise<StayEnd> {
  try {
    return await conference.join(leg, options);
  } finally {
    leg.hangUp('the conversation ended');
  }
}

interface Attempt {
  caller: Leg;
  worker: MediaWorker;
  request: ConnectRequest;
  early: EarlyMedia | undefined;
  signal: AbortSignal;
}

/** Calls somebody for a party and puts both into a conversation of two, whose packets are relayed as they are. */
export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /**
   * Ends when either hangs up; a caller who is left alone goes on with the next command of its document.
   * @param signal gives it up: the called party is hung up, the caller goes on
   * @throws CallreelError what the caller's media could not do, REQUEST_INVALID for headers that are not ours to give
   */
  async connect(
    caller: Leg,
    request: ConnectRequest,
    dialect: string,
    signal?: AbortSignal,
  ): Promise<ConnectResult> {
    assertExtraHeaders(request.headers);
    for (const to of request.groups.flat()) assertExtraHeaders(to.headers);
    await caller.openMedia(caller.id);
    if (!request.answerOnBridge) caller.answer();
    const called = await this.#reach(caller, request, signal);
    if (!(called instanceof Leg)) return called;
    return await this.#bridge(caller, called, request, this.#options.openPair(caller, dialect), signal);
  }

  async #bridge(
    caller: Leg,
    called: Leg,
    { join: options, maxDurationMs, connected }: ConnectRequest,
    pair: Conference,
    signal: AbortSignal | undefined,
  ): Promise<ConnectResult> {
    const { clock, log } = this.#options;
    const join = { ...options, leaveKey: undefined };
    let calledHungUp = false;
    called.addHandlers({ ended: ({ cause }) => (calledHungUp = cause !== 'local') });
    const limit =
      maxDurationMs === undefined
        ? undefined
        : clock.after(maxDurationMs, () => called.hangUp('the longest duration is over'));
    const { connectionId, from, to, trunkId } = called.connection;
    const peer: ConnectedPeer = { connectionId, from, to, trunkId: trunkId ?? undefined };
    connected?.(peer);
    // Whoever is left alone is taken out by the pair, whatever transfers there were.
    const stay = pair.join(caller, join, signal);
    seat(pair, called, join).catch((error: unknown) =>
      log.warn({ error, connectionId: called.id }, 'the called party could not be put through'),
    );
    try {
      await stay;
    } finally {
      limit?.cancel();
    }
    const endedBy = calledHungUp && !caller.ended ? 'called' : 'caller';
    return { outcome: 'connected', peer, endedBy };
  }

  async #reach(
    caller: Leg,
    request: ConnectRequest,
    signal: AbortSignal | undefined,
  ): Promise<Leg | ConnectResult> {
    const { worker } = caller;
    if (!worker) return { outcome: 'failed', reason: 'failed' };
    const hungUp = new AbortController();
    const removeHandlers = caller.addHandlers({ ended: () => hungUp.abort() });
    const ringback = request.ringback?.(caller);
    const early = ringback ? undefined : new EarlyMedia(caller, worker);
    const given = signal ? AbortSignal.any([hungUp.signal, signal]) : hungUp.signal;
    caller.refuseLater(undefined);
    let failure: CallreelError | undefined;
    try {
      for (const group of request.groups) {
        if (given.aborted) break;
        try {
          const called = await this.#group(group, { caller, worker, request, early, signal: given });
          if (!request.answered) return called;
          early?.close();
          return (await isLetIn(called, request.answered, given)) ? called : notLetIn;
        } catch (error) {
          if (!(error instanceof CallreelError)) throw error;
          failure = error;
          this.#options.log.warn({ error, connectionId: caller.id }, 'the called party was not reached');
        }
      }
    } finally {
      early?.close();
      ringback?.stop();
      removeHandlers();
    }
    if (failure) caller.refuseLater(refusalOf(failure));
    return given.aborted ? { outcome: 'failed', reason: 'cancelled' } : failed(failure);
  }

  /** @throws CallreelError what says most about why none of them was reached */
  async #group(group: readonly ConnectTo[], attempt: Attempt): Promise<Leg> {
    const [first, ...others] = group;
    if (first && others.length === 0) return await this.#call(first, attempt);
    const decided = new AbortController();
    const signal = AbortSignal.any([attempt.signal, decided.signal]);
    const calls = group.map(async (to) => {
      const leg = await this.#call(to, { ...attempt, signal });
      if (decided.signal.aborted) {
        leg.hangUp(hangUpReasons.answeredElsewhere);
        throw new CallreelError('DIAL_FAILED', 'somebody else was faster', { where: leg.connection.to });
      }
      decided.abort(hangUpReasons.answeredElsewhere);
      return leg;
    });
    try {
      return await Promise.any(calls);
    } catch (error) {
      const [reason] = error instanceof AggregateError ? error.errors.toSorted(byMeaning) : [error];
      throw reason ?? new CallreelError('DIAL_FAILED', 'nobody is to be called');
    }
  }

  async #call(to: ConnectTo, { caller, worker, request, early, signal }: Attempt): Promise<Leg> {
    const { dialer, answerTimeoutMs, resolve } = this.#options;
    const where = await resolve(caller, to.target, to.from ?? request.from);
    if (signal.aborted) throw new CallreelError('DIAL_FAILED', 'nobody waits any more', { where: where.to });
    const more = [...(request.headers ?? []), ...(to.headers ?? [])];
    return await dialer.dial({
      accountId: caller.connection.accountId,
      from: where.from,
      to: where.to,
      callerId: caller.id,
      maxForwards: hopsLeft(caller.session),
      targets: where.ways.map((way) => ({ ...way, headers: [...(way.headers ?? []), ...more] })),
      order: where.order,
      worker,
      joinsAtAnswer: request.answered === undefined,
      timeoutMs: to.timeoutMs ?? request.timeoutMs ?? answerTimeoutMs,
      signal,
      progress: (leg, status, hasMedia) => early?.progress(leg, status, hasMedia),
    });
  }
}

/** Of a party that was reached what it said; where it is we who could not, the caller may come again. */
function refusalOf(failure: CallreelError): SipRejection | undefined {
  if (failure instanceof DialFailure) return refusalFor(failure.reason);
  const { blame, status, code } = failure;
  return blame === 'ours' && status === 503 ? { status, reason: code } : undefined;
}

const notLetIn: ConnectResult = { outcome: 'failed', reason: 'not-put-through' };

/** @throws what kept the question from being answered; the called party is hung up then */
async function isLetIn(
  called: Leg,
  ask: NonNullable<ConnectRequest['answered']>,
  signal: AbortSignal,
): Promise<boolean> {
  const { promise: givenUp, resolve } = Promise.withResolvers<false>();
  const giveUp = () => {
    called.hangUp(hangUpReasons.callerHungUp);
    resolve(false);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  // Nobody is left to be put through, however long the question is not answered.
  const removeHandlers = called.addHandlers({ ended: () => resolve(false) });
  try {
    return (await Promise.race([ask(called, signal), givenUp])) && !called.ended;
  } catch (error) {
    called.hangUp('it could not be put through');
    throw error;
  } finally {
    removeHandlers();
    signal.removeEventListener('abort', giveUp);
  }
}

const telling: readonly string[] = ['declined', 'busy', 'no-answer'];

function byMeaning(a: unknown, b: unknown): number {
  const weight = (error: unknown) => {
    const said = error instanceof DialFailure ? telling.indexOf(error.reason) : -1;
    return said < 0 ? telling.length : said;
  };
  return weight(a) - weight(b);
}

function failed(error: CallreelError | undefined): ConnectResult {
  if (error instanceof DialFailure) {
    const { reason, sipStatus } = error;
    return { outcome: 'failed', reason, ...(sipStatus !== undefined && { sipStatus }) };
  }
  const code = error?.code ?? 'DIAL_FAILED';
  if (code === 'DIAL_FAILED') return { outcome: 'failed', reason: 'failed' };
  return { outcome: 'failed', reason: code.toLowerCase().replaceAll('_', '-') };
}
