import type { Leg } from '../call/leg.ts';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { VerbPerformer } from './performer.ts';
import { Restlessness } from './restlessness.ts';
import type { Next, Step, VerbResults } from './verb.ts';

export interface ScriptRunnerOptions {
  performer: VerbPerformer;
  clock: Clock;
  /** Whether a document goes on behind what failed of it, with nothing asked about it; without it: no. */
  goesOn?(leg: Leg, step: Step, error: unknown): boolean;
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

  /** @throws CallreelError what a verb could not do, CALL_ENDED; the leg is left as it is */
  async run(leg: Leg, document: readonly Step[]): Promise<void> {
    await this.perform(leg, document);
    leg.hangUp('end of the routine');
  }

  /**
   * As `run`; what becomes of the call at the end is for whoever asked.
   * @param signal gives it up; the call goes on
   * @throws as `run`; the signal's reason
   */
  async perform(leg: Leg, document: readonly Step[], signal?: AbortSignal): Promise<void> {
    const restlessness = new Restlessness(this.#options.clock);
    let left = [...document];
    for (let count = 0; left.length > 0 && !leg.ended; count++) {
      if (count >= maxVerbs)
        throw new CallreelError('DOCUMENT_INVALID', `the routine does not end within ${maxVerbs} commands`);
      const [step, ...rest] = left;
      const instead = step && (await this.#step(leg, step, signal));
      signal?.throwIfAborted();
      if (instead) restlessness.replaced();
      left = instead ? [...instead] : rest;
    }
  }

  async #step(leg: Leg, step: Step, signal: AbortSignal | undefined): Promise<Next> {
    const { performer, goesOn } = this.#options;
    let result: VerbResults[Step['verb']];
    try {
      result = await performer.perform(leg, step, signal);
    } catch (error) {
      if (!signal?.aborted && goesOn?.(leg, step, error)) return undefined;
      throw error;
    }
    return await asked(step, result);
  }
}

/** `done` takes what the verb of the same step gives. */
async function asked({ done }: Step, result: VerbResults[Step['verb']]): Promise<Next> {
  return await (done as ((result: VerbResults[Step['verb']]) => Promise<Next>) | undefined)?.(result);
}
