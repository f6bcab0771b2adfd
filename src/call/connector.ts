import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Conference, JoinOptions } from './conference.ts';
import type { Dialer, DialTarget } from './dialer.ts';
import type { Leg } from './leg.ts';
import { ringback } from './ringback.ts';

/** Whom to call, as an application says it. */
export type CallTarget = { kind: 'phone'; number: string } | { kind: 'client'; name: string };

/** Where that is. */
export interface ResolvedTarget {
  /** The called party's name on its connection. */
  to: string;
  /** The caller's. */
  from: string;
  ways: readonly DialTarget[];
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
    await caller.openMedia(caller.id);
    const called = await this.#reach(caller, target);
    if (!called) return caller.ended ? 'caller-ended' : 'not-reached';
    const pair = this.#options.openPair(caller, dialect);
    const join = { ...options, leaveKey: undefined };
    const stays = [pair.join(caller, join), pair.join(called, join)];
    try {
      await Promise.race(stays);
    } finally {
      pair.leave(caller.id);
      called.hangUp('the conversation ended');
      await Promise.allSettled(stays);
    }
    return caller.ended ? 'caller-ended' : 'called-ended';
  }

  async #reach(caller: Leg, target: CallTarget): Promise<Leg | undefined> {
    const { dialer, log, answerTimeoutMs } = this.#options;
    const worker = caller.worker;
    if (!worker) return undefined;
    const hungUp = new AbortController();
    const removeHandlers = caller.addHandlers({ ended: () => hungUp.abort() });
    const tone = ringback(caller);
    try {
      const { to, from, ways } = await this.#options.resolve(caller, target);
      return await dialer.dial({
        accountId: caller.connection.accountId,
        from,
        to,
        targets: ways,
        worker,
        timeoutMs: answerTimeoutMs,
        signal: hungUp.signal,
        ringing: () => tone.start(),
      });
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      log.warn({ error, connectionId: caller.id }, 'the called party was not reached');
      return undefined;
    } finally {
      tone.stop();
      removeHandlers();
    }
  }
}
