import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { EngineHost, type EngineHostOptions } from './engine-host.ts';
import type { EngineSettings } from './engine-protocol.ts';

export interface EngineKeeperOptions extends Omit<EngineHostOptions, 'settings'> {
  clock: Clock;
  /** An engine that nobody uses for so long gives its memory back. */
  idleMs: number;
}

/**
 * One engine process, started when it is wanted, replaced when it died or other settings are wanted, ended when it is
 * idle. Its users come one after the other.
 */
export class EngineKeeper {
  readonly #options: EngineKeeperOptions;
  readonly #closing = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #users = 0;
  #running: { host: EngineHost; settings: EngineSettings } | undefined;
  #idle: Timer | undefined;

  constructor(options: EngineKeeperOptions) {
    this.#options = options;
  }

  /** Who has it, and who waits for it. */
  get users(): number {
    return this.#users;
  }

  /** The engine's process, 0 while there is none. */
  get pid(): number {
    return this.#running?.host.pid ?? 0;
  }

  /**
   * @param prepare says what the engine is to load, and fetches it
   * @param action gets the engine for itself; its signal is also aborted by `close`
   * @throws CallreelError TRANSCRIPTION_MODEL_BROKEN, TRANSCRIPTION_ENGINE_LOST, DRAINING, and what the action throws
   * @throws the signal's reason
   */
  async use<Result>(
    prepare: (signal: AbortSignal) => Promise<EngineSettings>,
    action: (host: EngineHost, signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const before = this.#last;
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    this.#last = before.then(() => done);
    this.#users++;
    this.#idle?.cancel();
    try {
      await abortable(before, either);
      either.throwIfAborted();
      return await action(await this.#engine(await prepare(either), either), either);
    } finally {
      // Who gave up waiting leaves it to the others.
      if (--this.#users === 0 && !this.#closing.signal.aborted)
        this.#idle = this.#options.clock.after(this.#options.idleMs, () => void this.#stop());
      finish();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new CallreelError('DRAINING', 'speech-to-text is stopped'));
    await this.#last;
    this.#idle?.cancel();
    await this.#stop();
  }

  async #engine(settings: EngineSettings, signal: AbortSignal): Promise<EngineHost> {
    if (this.#running?.host.alive && isDeepStrictEqual(this.#running.settings, settings))
      return this.#running.host;
    await this.#stop();
    const host = await EngineHost.start({ ...this.#options, settings }, signal);
    this.#running = { host, settings };
    return host;
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.host.close();
  }
}
