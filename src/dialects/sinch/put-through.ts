import type { ConferenceObserver } from '../../call/conference.ts';
import type { Leg } from '../../call/leg.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import { sendKeys } from '../../script/key-sender.ts';
import type { Next, Step } from '../../script/verb.ts';
import type { Action, ConnectConf } from './actions.ts';
import type { CallDialogue } from './call-dialogue.ts';
import { connectedEnd } from './call-end.ts';
import type { MenuResult } from './callback-bodies.ts';
import type { SinchCallbacks, Subject } from './callbacks.ts';
import { conferenceKeys } from './conference-keys.ts';
import { sinchCatalogue } from './errors.ts';
import type { LegScript } from './leg-script.ts';
import { musicOf } from './music.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import type { WishMaker } from './recording-wishes.ts';
import {
  actionSteps,
  type ConnectAction,
  type Connecting,
  instructionSteps,
  type SvamlCall,
} from './steps.ts';
import type { Svaml } from './svaml.ts';

/** A call that documents are done on, as far as it matters here. */
export interface ServedCall {
  readonly parts: {
    clock: Clock;
    log: Logger;
    calls: LiveCalls;
    wishes: WishMaker;
    callbacks: Pick<SinchCallbacks, 'tellWarnings'>;
  };
  readonly request: { dialed: string };
  readonly dialogue: CallDialogue;
  readonly subject: Subject;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
  script(leg: Leg): LegScript;
  steps(leg: Leg, svaml: Svaml): Step[];
  /** The action that a party's call is led to. */
  lead(leg: Leg, action: Action): Step[];
  serve(leg: Leg, steps: readonly Step[]): Promise<void>;
  apply(leg: Leg, svaml: Svaml): Promise<void>;
  /** Somebody who was called answered. @param isTold whether the end of the call is told */
  reached(called: Leg, isTold: boolean): void;
}

/** These end what a call does; what comes of them is not done ahead of being put through. */
const leading: ReadonlySet<Action['name'] | undefined> = new Set([
  'hangup',
  'connectPstn',
  'connectSip',
  'connectMxp',
  'connectConf',
] as const);

export function leads(action: Action | undefined): boolean {
  return leading.has(action?.name);
}

/** What a document needs of a party's call. @param askMenu another than the one whose answer is done in place */
export function svamlCall(
  session: ServedCall,
  leg: Leg,
  askMenu: (result: MenuResult) => Promise<Next> = (result) => menuAnswer(session, leg, result),
): SvamlCall {
  const { clock, wishes } = session.parts;
  return {
    dialed: session.request.dialed,
    clock,
    wishesOf: (options, _kind, conferenceId) => wishes.of(options, { ...session.subject, conferenceId }),
    askMenu,
    notRecognized: ({ message }) => {
      const what = { message: `what was said is not recognised: ${message}`, path: '', line: 0, column: 0 };
      const { todo } = sinchCatalogue[50000];
      const warning = { severity: 'warning', code: 50000, todo, ...what } as const;
      session.parts.callbacks.tellWarnings(session.subject, [warning]);
    },
    musicOf,
    connecting: (action) => connecting(session, leg, action),
    observerOf: (action) => observerOf(session, leg, action),
  };
}

/**
 * Asks about a called party that answered (ACE), and does on its call what is to be done ahead of being put through.
 * @returns the action that leads elsewhere; undefined: it goes on
 */
export async function askAbout(session: ServedCall, leg: Leg): Promise<Action | undefined> {
  const svaml = await session.dialogue.ace();
  if (!svaml || leg.ended) return undefined;
  let { action } = svaml;
  const call = svamlCall(session, leg, async (result) => {
    const next = await session.dialogue.pie(result);
    action = next?.action;
    return next && ahead(next);
  });
  const ahead = (given: Svaml): Step[] => [
    ...instructionSteps(given.instructions, call),
    ...(given.action && !leads(given.action) ? actionSteps(given.action, call) : []),
  ];
  await session.script(leg).run(ahead(svaml));
  return leads(action) ? action : undefined;
}

async function menuAnswer(session: ServedCall, leg: Leg, result: MenuResult): Promise<Next> {
  const svaml = await session.dialogue.pie(result);
  return svaml && session.steps(leg, svaml);
}

function connecting(session: ServedCall, caller: Leg, action: ConnectAction): Connecting {
  let instead: Step[] | undefined;
  return {
    answered: async (called, signal) => {
      const leading = await calledAnswered(session, called, action);
      if (called.ended || signal.aborted) return false;
      if (leading === undefined) {
        if (action.record) recordCall(session, caller, action.record);
        return true;
      }
      // The call is the two of them: both go there.
      if (leading.name === 'connectConf') instead = session.lead(caller, leading);
      void session.serve(called, session.lead(called, leading));
      return false;
    },
    done: async (result) => {
      session.dialogue.record.ends(connectedEnd(result));
      return instead;
    },
  };
}

async function calledAnswered(
  session: ServedCall,
  called: Leg,
  action: ConnectAction,
): Promise<Action | undefined> {
  const isSuppressed = 'suppressCallbacks' in action && action.suppressCallbacks;
  session.reached(called, !isSuppressed);
  if (action.name === 'connectPstn' && action.dtmf !== undefined)
    await session.script(called).beside([{ verb: 'send-digits', digits: action.dtmf }]);
  return isSuppressed ? undefined : await askAbout(session, called);
}

/** Ahead of what is to be heard of it, whether the call is answered by now or not. */
function recordCall({ parts, subject, dialogue }: ServedCall, { id }: Leg, options: SinchRecordingOptions) {
  try {
    parts.calls.recordCall(id, parts.wishes.of(options, subject));
  } catch (error) {
    dialogue.failed(error);
  }
}

function observerOf(session: ServedCall, leg: Leg, { dtmf }: ConnectConf): ConferenceObserver | undefined {
  if (!dtmf) return undefined;
  const { clock, calls, log } = session.parts;
  return conferenceKeys({
    ...{ leg, dtmf, clock },
    press: (connectionId, digit) => {
      const other = calls.leg(connectionId);
      if (other)
        sendKeys(other, digit, session.over).catch((error: unknown) =>
          log.warn({ error, connectionId }, 'a key could not be forwarded'),
        );
    },
    detected: (value) => void keysDetected(session, leg, value),
  });
}

async function keysDetected(session: ServedCall, leg: Leg, value: string): Promise<void> {
  const result = { menuId: 'conference', type: 'sequence', value, inputMethod: 'dtmf' } as const;
  const svaml = await session.dialogue.pie(result);
  if (svaml && !leg.ended) await session.apply(leg, svaml);
}
