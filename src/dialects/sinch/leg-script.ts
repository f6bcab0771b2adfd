import type { Leg } from '../../call/leg.ts';
import type { ScriptRunner } from '../../script/runner.ts';
import type { Step } from '../../script/verb.ts';

/** How a script ended: it was done, another one took its place or it was told to stop, or the call ended. */
export type ScriptEnd = 'finished' | 'replaced' | 'ended';

/** What a party's call does: one list of steps at a time. */
export class LegScript {
  readonly leg: Leg;
  readonly #runner: ScriptRunner;
  #running: AbortController | undefined;

  constructor(leg: Leg, runner: ScriptRunner) {
    this.leg = leg;
    this.#runner = runner;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** In place of what runs. @throws CallreelError what a verb could not do */
  async run(steps: readonly Step[]): Promise<ScriptEnd> {
    const mine = new AbortController();
    this.stop();
    this.#running = mine;
    try {
      await this.#runner.perform(this.leg, steps, mine.signal);
      return this.leg.ended ? 'ended' : 'finished';
    } catch (error) {
      if (this.leg.ended) return 'ended';
      if (mine.signal.aborted) return 'replaced';
      throw error;
    } finally {
      if (this.#running === mine) this.#running = undefined;
    }
  }

  /** Beside what runs. @throws CallreelError as `run` */
  async beside(steps: readonly Step[]): Promise<void> {
    try {
      await this.#runner.perform(this.leg, steps);
    } catch (error) {
      if (!this.leg.ended) throw error;
    }
  }

  /** The call goes on, with nothing to do. */
  stop(): void {
    this.#running?.abort(new Error('something else is done'));
    this.#running = undefined;
  }
}
