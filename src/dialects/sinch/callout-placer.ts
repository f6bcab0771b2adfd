import type { CallPlacer } from '../../call/call-placer.ts';
import type { Leg } from '../../call/leg.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Clock } from '../../clock.ts';
import { listNumbersOfApplication } from '../../database/numbers.ts';
import type { Db } from '../../database/schema.ts';
import { newId } from '../../ids.ts';
import type { Logger } from '../../logger.ts';
import type { SinchApplication } from './application.ts';
import { iceBody } from './callback-bodies.ts';
import type { SinchCallbacks } from './callbacks.ts';
import { type CalloutPlan, destinationOf, planOf } from './callout-plan.ts';
import type { Callout, InlineCallback } from './callouts.ts';
import { SinchError } from './errors.ts';
import type { WishMaker } from './recording-wishes.ts';
import type { PlacedCall, SinchSession } from './session.ts';
import type { SinchSessions } from './sessions.ts';
import type { Svaml } from './svaml.ts';

export interface CalloutPlacerOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  calls: LiveCalls;
  placer: CallPlacer;
  sessions: SinchSessions;
  callbacks: SinchCallbacks;
  wishes: WishMaker;
  /** Base of the URLs given out. */
  publicUrl(): string;
}

const answerTimeoutMs = 60_000;
/** What a caller is called who has no number. */
const unknownCaller = 'anonymous';

/** Places the calls of callouts. */
export class CalloutPlacer {
  readonly #options: CalloutPlacerOptions;

  constructor(options: CalloutPlacerOptions) {
    this.#options = options;
  }

  /**
   * @returns the id of a call that is on its way
   * @throws SinchError 40002, 40003 where nobody is to be called
   * @throws CallreelError as `CallPlacer.place`
   */
  async place(application: SinchApplication, callout: Callout): Promise<string> {
    const callId = newId();
    const ice = await this.#ice(callId, application, callout);
    const plan = planOf(callout, ice);
    const from = plan.cli ?? (await this.#ownNumber(application)) ?? unknownCaller;
    const request = placedCall(application, callout, plan, from);
    const { cookies } = plan;
    const dialed = Promise.withResolvers<void>();
    let session: SinchSession | undefined;
    const record = this.#recorder(plan, application, callId);
    const leg = await this.#options.placer.place({
      ...{ accountId: application.accountId, from, callId, target: plan.target, headers: plan.headers },
      timeoutMs: plan.timeoutMs ?? answerTimeoutMs,
      begun: (begun) => {
        // Ahead of what else is done at the answer.
        begun.addHandlers({ answered: () => record(begun) });
        session = this.#options.sessions.adopt(begun, { ...request, dialed: dialed.promise });
        if (cookies.length > 0)
          void session.manage({ instructions: cookies, action: undefined, warnings: [] }, undefined);
      },
      unanswered: () => dialed.resolve(),
      goal: {
        serve: async (answered) => {
          record(answered);
          await session?.answered(answered);
        },
      },
    });
    return leg.id;
  }

  /** As far as there is something to ask or to read. */
  async #ice(callId: string, application: SinchApplication, callout: Callout): Promise<Svaml | undefined> {
    if (callout.method !== 'customCallout') return undefined;
    const { ice, destination, cli, custom } = callout;
    if (ice === undefined && destination) return undefined;
    if (ice?.kind === 'svaml') return ice.svaml;
    return await this.#askIce({ callId, application, custom }, ice, {
      cli: cli ?? '',
      to: destination ? destinationOf(destination) : { type: 'number' as const, endpoint: '' },
    });
  }

  /** @throws SinchError 40002 where nobody is there to ask, 40003 for an answer that is of no use */
  async #askIce(
    subject: { callId: string; application: SinchApplication; custom: string | undefined },
    inline: InlineCallback | undefined,
    parties: Pick<Parameters<typeof iceBody>[0], 'cli' | 'to'>,
  ): Promise<Svaml> {
    const { callbacks, clock, publicUrl } = this.#options;
    const { callId, application, custom } = subject;
    const body = iceBody({
      ...{ callId, custom, applicationKey: application.key, unixMs: clock.unixMs(), ...parties },
      callResourceUrl: `${publicUrl()}/calling/v1/calls/id/${callId}`,
      ...{ domain: 'pstn', originationType: 'mxp' },
    });
    const { signal } = new AbortController();
    const answer = await callbacks.ask(subject, { use: 'ice', body, inline, signal });
    if ('svaml' in answer) return answer.svaml;
    if (answer.failure === 'silent')
      throw new SinchError(40002, 'customCallout: "destination" is missing, and there is no URL to ask');
    throw new SinchError(40003, 'customCallout.ice: the callback gave no answer that can be used');
  }

  async #ownNumber({ key }: SinchApplication): Promise<string | undefined> {
    const numbers = await listNumbersOfApplication(this.#options.db, key);
    return numbers.find((number) => number.startsWith('+'));
  }

  /** Of a call of several ways the one that is answered is recorded, once. */
  #recorder({ record }: CalloutPlan, application: SinchApplication, callId: string): (leg: Leg) => void {
    const { calls, wishes, log } = this.#options;
    let isBegun = record === undefined;
    return (leg) => {
      if (isBegun || !record) return;
      isBegun = true;
      try {
        calls.recordCall(leg.id, wishes.of(record, { application, callId }));
      } catch (error) {
        log.warn({ error, connectionId: leg.id }, 'a call that was placed could not be recorded');
      }
    };
  }
}

function placedCall(
  application: SinchApplication,
  callout: Callout,
  { target, dtmf, document, maxDurationMs }: CalloutPlan,
  from: string,
): PlacedCall {
  const { custom, enableAce, enableDice, enablePie } = callout;
  const inline = callout.method === 'customCallout' ? callout : undefined;
  return {
    ...{ application, custom, from, to: destinationOf(target) },
    ...{ ace: inline?.ace, pie: inline?.pie, dice: inline?.dice, enableAce, enableDice, enablePie },
    ...{ dtmf, maxDurationMs },
    // Nothing is to be done with it: it goes on, for whoever manages it.
    ...(document ? { document } : { steps: [{ verb: 'sleep', durationMs: Number.POSITIVE_INFINITY }] }),
  };
}
