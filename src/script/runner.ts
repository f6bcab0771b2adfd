import type { Leg } from '../call/leg.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import { assertNever } from '../errors.ts';
import type { Verb } from './verb.ts';

/**
 * Runs a document's verbs on a leg, in order; a verb begins when the one before it has ended. The end of the
 * document hangs up, the end of the call ends the run.
 */
export class ScriptRunner {
  readonly #calls: LiveCalls;
  readonly #dialect: string;

  /** `dialect` names the formatter of the events that the run causes. */
  constructor(calls: LiveCalls, dialect: string) {
    this.#calls = calls;
    this.#dialect = dialect;
  }

  /** @throws CallreelError what a verb could not do; the leg is left as it is */
  async run(leg: Leg, verbs: readonly Verb[]): Promise<void> {
    for (const verb of verbs) {
      if (leg.ended) return;
      await this.#perform(leg, verb);
    }
    leg.hangUp('end of the routine');
  }

  async #perform(leg: Leg, verb: Verb): Promise<void> {
    switch (verb.verb) {
      case 'join-conference':
        await this.#calls.joinConference(leg, verb.name, this.#dialect, verb.options);
        return;
      case 'hang-up':
        leg.hangUp('HangUp');
        return;
      default:
        assertNever(verb, 'verb');
    }
  }
}
