import type { JoinOptions } from '../call/conference.ts';
import type { Connector, ConnectResult } from '../call/connector.ts';
import type { Leg } from '../call/leg.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import { type Clock, longestDelayMs, type Timer } from '../clock.ts';
import { assertNever, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { CallRecordings } from './call-recordings.ts';
import { Collection, type Recognizer } from './collection.ts';
import { sendKeys } from './key-sender.ts';
import { PromptPlayer } from './prompt-player.ts';
import type { Prompts } from './prompts.ts';
import type {
  Answer,
  Collect,
  CollectResult,
  Connect,
  HangUp,
  JoinConference,
  Play,
  Prompt,
  Sleep,
  Verb,
  VerbResults,
} from './verb.ts';

/** Does verbs. */
export interface VerbPerformer {
  /**
   * Does one verb to its end.
   * @param signal gives it up; what it began is ended, the call goes on
   * @throws CallreelError what the verb could not do; CALL_ENDED, of any verb but `hang-up`, when the call ended
   *   before or meanwhile
   * @throws the signal's reason
   */
  perform<V extends Verb>(leg: Leg, verb: V, signal?: AbortSignal): Promise<VerbResults[V['verb']]>;
  /** Whether texts can be spoken with it, and not by another one in its place. */
  hasVoice?(voice: string): boolean;
}

export interface LivePerformerOptions {
  calls: LiveCalls;
  connector: Connector;
  prompts: Prompts;
  clock: Clock;
  log: Logger;
  /** Of what parties say to scripts; without it nothing is understood. */
  recognizer?: Recognizer | undefined;
  /** Names the formatter of the events of conversations that it opens. */
  dialect: string;
}

/** Does verbs on legs that live on this node. */
export class LivePerformer implements VerbPerformer {
  readonly #options: LivePerformerOptions;
  readonly #player: PromptPlayer;
  readonly #recordings: CallRecordings;
  /** What ends a call at its longest duration. */
  readonly #limits = new WeakMap<Leg, Timer>();

  constructor(options: LivePerformerOptions) {
    this.#options = options;
    this.#player = new PromptPlayer(options);
    this.#recordings = new CallRecordings(options);
  }

  async perform<V extends Verb>(leg: Leg, verb: V, signal?: AbortSignal): Promise<VerbResults[V['verb']]> {
    // What a verb gives is known by its name alone.
    return (await this.#perform(leg, verb, signal)) as VerbResults[V['verb']];
  }

  hasVoice(voice: string): boolean {
    return this.#options.prompts.hasVoice(voice);
  }

  async #perform(leg: Leg, verb: Verb, signal?: AbortSignal): Promise<VerbResults[Verb['verb']]> {
    if (verb.verb === 'hang-up') return hangUp(leg, verb.reason);
    if (leg.ended) throw callEnded(leg);
    signal?.throwIfAborted();
    const hungUp = new AbortController();
    const removeHandlers = leg.addHandlers({ ended: () => hungUp.abort(callEnded(leg)) });
    const over = signal ? AbortSignal.any([hungUp.signal, signal]) : hungUp.signal;
    try {
      const result = await this.#do(leg, verb, over);
      over.throwIfAborted();
      return result;
    } catch (error) {
      throw over.aborted ? over.reason : error;
    } finally {
      removeHandlers();
    }
  }

  async #do(leg: Leg, verb: Exclude<Verb, HangUp>, over: AbortSignal): Promise<VerbResults[Verb['verb']]> {
    switch (verb.verb) {
      case 'answer':
        return await this.#answer(leg, verb);
      case 'play':
        return await this.#play(leg, verb, over);
      case 'collect':
        return await this.#collect(leg, verb, over);
      case 'send-digits':
        await answered(leg);
        await sendKeys(leg, verb.digits, over);
        return { outcome: 'sent' };
      case 'sleep':
        return await this.#sleep(verb, over);
      case 'record':
        await answered(leg);
        return await this.#recordings.record(leg, verb.wishes, over);
      case 'start-recording':
        await answered(leg);
        return { recording: await this.#recordings.start(leg, verb.wishes) };
      case 'stop-recording':
        return { recording: await this.#recordings.stop(leg, verb.controlId) };
      case 'connect':
        return await this.#connect(leg, verb, over);
      case 'join-conference':
        return await this.#join(leg, verb, over);
      default:
        assertNever(verb, 'verb');
    }
  }

  async #answer(leg: Leg, { maxDurationMs }: Answer): Promise<VerbResults['answer']> {
    await answered(leg);
    this.#limits.get(leg)?.cancel();
    if (maxDurationMs !== undefined && maxDurationMs <= longestDelayMs) {
      const limit = this.#options.clock.after(maxDurationMs, () =>
        leg.hangUp('the longest duration is over'),
      );
      this.#limits.set(leg, limit);
      leg.addHandlers({ ended: () => limit.cancel() });
    }
    return { outcome: 'answered' };
  }

  async #play(leg: Leg, verb: Play, over: AbortSignal): Promise<VerbResults['play']> {
    await (verb.early ? openedEarly(leg) : answered(leg));
    const error = await this.#player.play(leg, verb.prompts, over, verb);
    return error ? { outcome: 'failed', error } : { outcome: 'finished' };
  }

  async #collect(leg: Leg, verb: Collect, over: AbortSignal): Promise<CollectResult> {
    await answered(leg);
    const { clock, log, recognizer } = this.#options;
    const play = (promptOver: AbortSignal) => this.#player.play(leg, verb.prompts, promptOver, verb);
    return await new Collection({ leg, verb, clock, log, recognizer, play }).run(over);
  }

  async #sleep({ durationMs }: Sleep, over: AbortSignal): Promise<VerbResults['sleep']> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = durationMs > longestDelayMs ? undefined : this.#options.clock.after(durationMs, resolve);
    over.addEventListener('abort', () => resolve(), { once: true });
    if (over.aborted) resolve();
    await promise;
    timer?.cancel();
    return { outcome: 'over' };
  }

  async #connect(leg: Leg, verb: Connect, over: AbortSignal): Promise<ConnectResult> {
    const { ringback, ...request } = verb;
    const { connector, dialect } = this.#options;
    if (ringback === undefined || ringback.length === 0)
      return await connector.connect(leg, request, dialect, over);
    const played = { ...request, ringback: (caller: Leg) => this.#music(caller, ringback, over) };
    return await connector.connect(leg, played, dialect, over);
  }

  async #join(
    leg: Leg,
    { name, options }: JoinConference,
    over: AbortSignal,
  ): Promise<VerbResults['join-conference']> {
    const { calls, dialect } = this.#options;
    const { waitPrompts = [], ...rest } = options;
    const join: JoinOptions =
      waitPrompts.length === 0
        ? rest
        : { ...rest, whileWaiting: (waiting) => this.#music(waiting, waitPrompts, over) };
    await calls.openMediaFor(leg, name);
    // Found and joined in one go: what is empty is closed.
    return { end: await calls.conferenceFor(leg, name, dialect).join(leg, join, over) };
  }

  /** Over and over, to a caller that was not answered too. */
  #music(leg: Leg, prompts: readonly Prompt[], over: AbortSignal): { stop(): void } {
    const stopped = new AbortController();
    leg.openEarly();
    void this.#player.play(leg, prompts, AbortSignal.any([over, stopped.signal]), { loop: true });
    return { stop: () => stopped.abort() };
  }
}

function hangUp(leg: Leg, reason: HangUp['reason'] = 'hangup'): VerbResults['hang-up'] {
  if (reason === 'hangup') leg.hangUp('HangUp');
  else if (reason === 'busy') leg.reject(486, 'Busy Here');
  else leg.reject(603, 'Decline');
  return {};
}

/** Answers a call that was not answered yet: nobody can be spoken to before. */
async function answered(leg: Leg): Promise<void> {
  await leg.openMedia(leg.id);
  leg.answer();
}

async function openedEarly(leg: Leg): Promise<void> {
  await leg.openMedia(leg.id);
  leg.openEarly();
}

function callEnded(leg: Leg): CallreelError {
  return new CallreelError('CALL_ENDED', 'the call has ended', { where: leg.id });
}
