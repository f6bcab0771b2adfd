import type { Connector } from '../call/connector.ts';
import type { Leg } from '../call/leg.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import { assertNever, CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { DigitCollector } from './gather.ts';
import { type Prompts, promptRateHz } from './prompts.ts';
import { Restlessness } from './restlessness.ts';
import type { Gather, Next, Prompt, Verb } from './verb.ts';

export interface ScriptRunnerOptions {
  calls: LiveCalls;
  connector: Connector;
  prompts: Prompts;
  clock: Clock;
  log: Logger;
  /** Names the formatter of the events that a run causes. */
  dialect: string;
}

/** A document that answers every question with another document would never end. */
const maxVerbs = 10_000;

/**
 * Runs a document's verbs on a leg, in order; a verb begins when the one before it has ended. What the application
 * answers to a verb's end replaces what is left. The end of the document hangs up, the end of the call ends the run.
 */
export class ScriptRunner {
  readonly #options: ScriptRunnerOptions;

  constructor(options: ScriptRunnerOptions) {
    this.#options = options;
  }

  /** @throws CallreelError what a verb could not do; the leg is left as it is */
  async run(leg: Leg, document: readonly Verb[]): Promise<void> {
    const hungUp = new AbortController();
    leg.addHandlers({ ended: () => hungUp.abort(new CallreelError('CONFLICT', 'the call ended')) });
    const restlessness = new Restlessness(this.#options.clock);
    let left = [...document];
    for (let count = 0; left.length > 0 && !leg.ended; count++) {
      if (count >= maxVerbs)
        throw new CallreelError('DOCUMENT_INVALID', `the routine does not end within ${maxVerbs} commands`);
      const [verb, ...rest] = left;
      const next = verb && (await this.#perform(leg, verb, hungUp.signal));
      if (next) restlessness.replaced();
      left = next ? [...next] : rest;
    }
    leg.hangUp('end of the routine');
  }

  async #perform(leg: Leg, verb: Verb, hungUp: AbortSignal): Promise<Next> {
    const { calls, connector, dialect } = this.#options;
    switch (verb.verb) {
      case 'say':
      case 'play':
        await this.#listen(leg, verb.prompt, hungUp);
        return leg.ended ? undefined : await verb.done?.();
      case 'gather':
        return await this.#gather(leg, verb, hungUp);
      case 'connect':
        await connector.connect(leg, verb.target, dialect, verb.options);
        return undefined;
      case 'join-conference':
        await calls.joinConference(leg, verb.name, dialect, verb.options);
        return undefined;
      case 'hang-up':
        leg.hangUp('HangUp');
        return undefined;
      default:
        assertNever(verb, 'verb');
    }
  }

  /** A prompt that can not be had is skipped, on record in the log: the call is worth more than the prompt. */
  async #listen(leg: Leg, prompt: Prompt, signal: AbortSignal): Promise<void> {
    try {
      await answered(leg);
      const samples = await this.#options.prompts.samples(prompt, signal);
      if (signal.aborted || samples.length === 0) return;
      const playback = leg.play(samples, promptRateHz);
      const stop = () => playback.stop();
      signal.addEventListener('abort', stop, { once: true });
      await playback.ended;
      signal.removeEventListener('abort', stop);
      if (playback.refusal !== undefined) throw playback.refusal;
    } catch (error) {
      if (!leg.ended && !signal.aborted)
        this.#options.log.warn({ error, connectionId: leg.id }, 'a prompt was skipped');
    }
  }

  async #gather(leg: Leg, verb: Gather, hungUp: AbortSignal): Promise<Next> {
    const promptOver = new AbortController();
    const collector = new DigitCollector({
      ...verb,
      clock: this.#options.clock,
      firstDigit: () => promptOver.abort(),
    });
    await answered(leg);
    const removeHandlers = leg.addHandlers({
      digit: (digit) => collector.digit(digit),
      ended: () => collector.cancel(),
    });
    const signal = AbortSignal.any([hungUp, promptOver.signal]);
    const prompted = verb.prompt ? this.#listen(leg, verb.prompt, signal) : Promise.resolve();
    void prompted.then(() => collector.promptEnded());
    const result = await collector.result;
    promptOver.abort();
    removeHandlers();
    await prompted;
    return leg.ended ? undefined : await verb.done(result);
  }
}

/** Answers a call that was not answered yet: nobody can be spoken to before. */
async function answered(leg: Leg): Promise<void> {
  await leg.openMedia(leg.id);
  leg.answer();
}
