import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { SipAddress } from '../sip/session.ts';
import type { Conference, JoinOptions, StayEnd } from './conference.ts';
import { type Dialer, DialFailure, type DialTarget } from './dialer.ts';
import { EarlyMedia } from './early-media.ts';
import { refusalFor } from './end-reason.ts';
import type { Leg } from './leg.ts';

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

export interface ConnectorOptions {
  dialer: Dialer;
  log: Logger;
  answerTimeoutMs: number;
  /** @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND (no such client is registered) */
  resolve(leg: Leg, target: CallTarget): Promise<ResolvedTarget>;
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

/** How the attempt to bring two parties together ended. */
export type ConnectEnd = 'caller-ended' | 'called-ended' | 'not-reached';

/** Calls somebody for a party and puts both into a conversation of two, whose packets are relayed as they are. */
export class Connector {
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Ends when either hangs up; a caller who is left alone goes on with the next command of its document. */
  async connect(
    caller: Leg,
    target: CallTarget,
    dialect: string,
    options: Omit<JoinOptions, 'leaveKey'>,
  ): Promise<ConnectEnd> {
    const { log } = this.#options;
    await caller.openMedia(caller.id);
    const called = await this.#reach(caller, target);
    if (!called) return caller.ended ? 'caller-ended' : 'not-reached';
    const pair = this.#options.openPair(caller, dialect);
    const join = { ...options, leaveKey: undefined };
    // Whoever is left alone is taken out by the pair, whatever transfers there were.
    const stay = pair.join(caller, join);
    seat(pair, called, join).catch((error: unknown) =>
      log.warn({ error, connectionId: called.id }, 'the called party could not be put through'),
    );
    await stay;
    return caller.ended ? 'caller-ended' : 'called-ended';
  }

  async #reach(caller: Leg, target: CallTarget): Promise<Leg | undefined> {
    const { dialer, log, answerTimeoutMs } = this.#options;
    const worker = caller.worker;
    if (!worker) return undefined;
    const hungUp = new AbortController();
    const removeHandlers = caller.addHandlers({ ended: () => hungUp.abort() });
    const early = new EarlyMedia(caller, worker);
    caller.refuseLater(undefined);
    try {
      const { to, from, ways, order } = await this.#options.resolve(caller, target);
      return await dialer.dial({
        accountId: caller.connection.accountId,
        from,
        to,
        callerId: caller.id,
        targets: ways,
        order,
        worker,
        timeoutMs: answerTimeoutMs,
        signal: hungUp.signal,
        progress: (leg, status, hasMedia) => early.progress(leg, status, hasMedia),
      });
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      if (error instanceof DialFailure) caller.refuseLater(refusalFor(error.reason));
      log.warn({ error, connectionId: caller.id }, 'the called party was not reached');
      return undefined;
    } finally {
      early.close();
      removeHandlers();
    }
  }
}
