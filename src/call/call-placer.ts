import type { ClientState } from '../database/schema.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { SipHeader } from '../sip/session.ts';
import type { JoinOptions } from './conference.ts';
import type { CallTarget, ResolvedTarget } from './connector.ts';
import { seat } from './connector.ts';
import type { Dialer } from './dialer.ts';
import { hangUpReasons } from './end-reason.ts';
import { assertExtraHeaders } from './extra-headers.ts';
import type { Leg } from './leg.ts';
import type { LiveCalls } from './live-calls.ts';

export interface PlacedCall {
  accountId: string;
  /** Whom the called party sees: a number or a SIP URI. */
  from: string;
  target: CallTarget;
  /** What becomes of it once it is answered. */
  goal: PlacedCallGoal;
  timeoutMs: number;
  clientState?: ClientState | undefined;
  /** What the call is known by; without it: a new one. */
  callId?: string | undefined;
  /** More of the INVITE. */
  headers?: readonly SipHeader[] | undefined;
  /** The call is on its way: ahead of anything that may become of it. */
  begun?(leg: Leg): void;
  /** Nobody answered, of a call that was begun. */
  unanswered?(): void;
}

/** It joins a conference and ends with its stay there; or somebody takes it over, to its end. */
export type PlacedCallGoal =
  | { conferenceName: string; join: JoinOptions }
  | { serve(leg: Leg): Promise<void> };

export interface CallPlacerOptions {
  calls: LiveCalls;
  dialer: Dialer;
  log: Logger;
  dialect: string;
  /** @throws CallreelError OVERLOADED where this node takes no more calls */
  assertAdmits(): void;
  /** @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND */
  resolve(accountId: string, from: string, target: CallTarget): Promise<ResolvedTarget>;
  /** When the connection is in the database. */
  written(connectionId: string): Promise<void>;
}

/** Places calls that nobody's call is the reason of. */
export class CallPlacer {
  readonly #options: CallPlacerOptions;

  constructor(options: CallPlacerOptions) {
    this.#options = options;
  }

  /**
   * @returns the leg, on its way and on record; how it goes on is seen there
   * @throws CallreelError as `assertAdmits` and `resolve`, and what keeps the first INVITE from being sent: PORTS_EXHAUSTED, WORKER_LOST,
   *   SIP_HOST_UNKNOWN, DIAL_FAILED; REQUEST_INVALID for headers that are not for a caller to give
   */
  async place(call: PlacedCall): Promise<Leg> {
    const { resolve, written } = this.#options;
    assertExtraHeaders(call.headers ?? []);
    this.#options.assertAdmits();
    const resolved = await resolve(call.accountId, call.from, call.target);
    const { promise, resolve: begun, reject } = Promise.withResolvers<Leg>();
    this.#run(call, resolved, begun).catch(reject);
    const leg = await promise;
    await written(leg.id);
    return leg;
  }

  /** Hangs up every leg of the call, whatever it is doing. @returns whether any went on */
  hangUp(id: string): boolean {
    const legs = this.#options.calls.legsOfCall(id);
    for (const leg of legs) leg.hangUp(leg.answered ? 'hung up by request' : hangUpReasons.callerHungUp);
    return legs.length > 0;
  }

  /** @throws what came before the first leg was begun */
  async #run(call: PlacedCall, { to, from, ways, order }: ResolvedTarget, begun: (leg: Leg) => void) {
    const { calls, dialer, log, dialect } = this.#options;
    const { accountId, goal, timeoutMs, clientState, headers = [] } = call;
    const ids = call.callId === undefined ? [] : [call.callId];
    const room = 'serve' in goal ? newId() : goal.conferenceName;
    let first: Leg | undefined;
    let isAnswered = false;
    try {
      const leg = await dialer.dial({
        accountId,
        from,
        to,
        order,
        targets: ways.map((way) => ({ ...way, headers: [...(way.headers ?? []), ...headers] })),
        // Nobody's: there is no codec to prefer.
        callerId: newId(),
        legId: () => ids.pop() ?? newId(),
        worker: calls.workerFor(accountId, room),
        timeoutMs,
        joinsAtAnswer: !('serve' in goal),
        signal: new AbortController().signal,
        begun: (each) => {
          first ??= each;
          Object.assign(each.connection, { callId: first.id, clientState });
          if (each === first) call.begun?.(each);
          begun(first);
        },
      });
      isAnswered = true;
      if ('serve' in goal) return await goal.serve(leg);
      const join = () => calls.joinConference(leg, goal.conferenceName, dialect, goal.join);
      await seat({ join }, leg, goal.join);
    } catch (error) {
      if (first === undefined) throw error;
      if (!isAnswered) call.unanswered?.();
      log.info({ error, callId: first.id }, 'a call that was placed was not served');
    }
  }
}
