import type { EngineHost } from './engine-host.ts';
import { EngineKeeper, type EngineKeeperOptions } from './engine-keeper.ts';
import type { EngineSettings } from './engine-protocol.ts';

/** Several engines, each with a process of its own: as many channels at once. */
export class EnginePool {
  readonly #keepers: readonly EngineKeeper[];

  constructor(options: EngineKeeperOptions, processes: number) {
    this.#keepers = Array.from({ length: processes }, () => new EngineKeeper(options));
  }

  /** Of the first that runs, 0 while there is none. */
  get pid(): number {
    return this.#keepers.find(({ pid }) => pid > 0)?.pid ?? 0;
  }

  /** The engine with the fewest users, the first of them: as `EngineKeeper.use`. */
  async use<Result>(
    prepare: (signal: AbortSignal) => Promise<EngineSettings>,
    action: (host: EngineHost, signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const keeper = this.#keepers.reduce((best, each) => (each.users < best.users ? each : best));
    return await keeper.use(prepare, action, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
  }
}
