import { amplified } from '../audio/gain.ts';
import type { Leg } from '../call/leg.ts';
import type { Playback } from '../call/prompt-playback.ts';
import type { Clock } from '../clock.ts';
import { asCallreelError, type CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { maxPromptSamples } from '../media/control.ts';
import { type Prompts, promptRateHz } from './prompts.ts';
import type { Prompt } from './verb.ts';

export interface PromptPlayerOptions {
  prompts: Prompts;
  clock: Clock;
  log: Logger;
}

export interface PlayOptions {
  volumeDb?: number | undefined;
  /** Over and over, until it is given up; or until a whole round has nothing to be heard. */
  loop?: boolean;
}

/** Who hears it. */
export type Listener = Pick<Leg, 'id' | 'play'>;

/** So many are fetched or spoken while those before them play. */
const loadedAhead = 4;
/** A first one that is shorter waits so long for those behind it, lest it is over before they are here. */
const shortSamples = 2 * promptRateHz;
const leadMs = 1000;
/** What the worker has beside the one that plays: enough that no gap comes between, little enough to keep. */
const maxQueuedParts = 16;
/** What a loop keeps of its prompts. */
const maxKeptSamples = 600 * promptRateHz;
const maxQueuedSamples = 60 * promptRateHz;

/** Plays prompts to parties, one behind the other. */
export class PromptPlayer {
  readonly #options: PromptPlayerOptions;

  constructor(options: PromptPlayerOptions) {
    this.#options = options;
  }

  /**
   * Settles when all is heard, or nothing more is after `signal`. A prompt that can not be had is left out, on record in
   * the log: the call is worth more than the prompt. Never rejects.
   * @returns the first thing that could not be heard
   */
  async play(
    listener: Listener,
    prompts: readonly Prompt[],
    signal: AbortSignal,
    { volumeDb = 0, loop = false }: PlayOptions = {},
  ): Promise<CallreelError | undefined> {
    const { log } = this.#options;
    let failure: CallreelError | undefined;
    const skipped = (error: unknown) => {
      if (signal.aborted) return;
      log.warn({ error, connectionId: listener.id }, 'a prompt was skipped');
      failure ??= asCallreelError(error, 'a prompt failed');
    };
    const queue = new PlaybackQueue(listener, skipped);
    const load = loop ? keeping(this.#load(signal)) : this.#load(signal);
    const stop = () => queue.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      let heard = true;
      for (let round = 0; heard && !signal.aborted && (loop || round === 0); round++)
        heard = await this.#round(queue, { prompts, load, signal, volumeDb, skipped });
      await queue.whenEmpty();
      return failure;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** @returns whether there was anything */
  async #round(queue: PlaybackQueue, { prompts, load, signal, volumeDb, skipped }: Round): Promise<boolean> {
    const loader = new Lookahead(prompts, load);
    let heard = false;
    for (const [index, prompt] of prompts.entries()) {
      try {
        const loaded = loader.at(index);
        const parts = loaded ? [await loaded] : this.#options.prompts.parts(prompt, signal);
        if (index === 0 && isShort(prompt, await loaded)) await this.#lead(loader);
        for await (const part of parts) {
          if (part.length === 0) continue;
          await queue.room(part.length);
          if (signal.aborted) return false;
          queue.add(amplified(part, volumeDb));
          heard = true;
        }
      } catch (error) {
        skipped(error);
      }
      if (signal.aborted) return false;
    }
    return heard;
  }

  #load(signal: AbortSignal): Load {
    return (prompt) => this.#options.prompts.load(prompt, signal);
  }

  async #lead(loader: Lookahead): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(leadMs, resolve);
    await Promise.race([loader.settled(), promise]);
    timer.cancel();
  }
}

type Loadable = Prompt & { kind: 'text' | 'url' };
type Load = (prompt: Loadable) => Promise<Int16Array>;

interface Round {
  prompts: readonly Prompt[];
  load: Load;
  signal: AbortSignal;
  volumeDb: number;
  skipped(error: unknown): void;
}

function isShort(prompt: Prompt, loaded: Int16Array | undefined): boolean {
  const samples = 'durationMs' in prompt ? (prompt.durationMs * promptRateHz) / 1000 : (loaded?.length ?? 0);
  return samples < shortSamples;
}

/** What is heard again is not fetched again, within bounds. */
function keeping(load: Load): Load {
  const kept = new Map<Loadable, Int16Array>();
  let keptSamples = 0;
  return async (prompt) => {
    const before = kept.get(prompt);
    if (before) return before;
    const samples = await load(prompt);
    keptSamples += samples.length;
    if (keptSamples <= maxKeptSamples) kept.set(prompt, samples);
    return samples;
  };
}

/** Begins to load the next prompts of a list while one is heard; holds none that was. */
class Lookahead {
  readonly #prompts: readonly Prompt[];
  readonly #load: Load;
  readonly #loading = new Map<number, Promise<Int16Array>>();
  #next = 0;

  constructor(prompts: readonly Prompt[], load: Load) {
    this.#prompts = prompts;
    this.#load = load;
  }

  /** Undefined for one that needs no loading. To be asked for in order, each once. */
  at(index: number): Promise<Int16Array> | undefined {
    for (; this.#next <= index + loadedAhead && this.#next < this.#prompts.length; this.#next++) {
      const prompt = this.#prompts[this.#next]!;
      if (prompt.kind !== 'text' && prompt.kind !== 'url') continue;
      const loading = this.#load(prompt);
      // Whoever asks for it is told.
      loading.catch(() => undefined);
      this.#loading.set(this.#next, loading);
    }
    const loading = this.#loading.get(index);
    this.#loading.delete(index);
    return loading;
  }

  /** When those that are being loaded are there, or can not be had. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
  }
}

/** What the worker has of a sequence: the part that plays, and some behind it. */
class PlaybackQueue {
  readonly #listener: Listener;
  readonly #refused: (error: unknown) => void;
  readonly #queued = new Map<Playback, number>();
  #stopped = false;
  #changed = Promise.withResolvers<void>();

  constructor(listener: Listener, refused: (error: unknown) => void) {
    this.#listener = listener;
    this.#refused = refused;
  }

  add(samples: Int16Array): void {
    if (this.#stopped) return;
    const playback = this.#listener.play(samples, promptRateHz);
    this.#queued.set(playback, samples.length);
    void playback.ended.then((end) => {
      this.#queued.delete(playback);
      if (playback.refusal !== undefined && end !== 'leg-closed') this.#refused(playback.refusal);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
  }

  /** When one more part may wait behind the one that plays. */
  async room(samples: number): Promise<void> {
    while (!this.#stopped && !this.#hasRoom(samples)) await this.#changed.promise;
  }

  async whenEmpty(): Promise<void> {
    while (this.#queued.size > 0) await this.#changed.promise;
  }

  stop(): void {
    this.#stopped = true;
    for (const playback of this.#queued.keys()) playback.stop();
  }

  /** One waits beside the one that plays, however long, where the worker takes both: else there were a gap. */
  #hasRoom(samples: number): boolean {
    if (this.#queued.size === 0) return true;
    const [playing = 0, ...waiting] = this.#queued.values();
    const waitingSamples = waiting.reduce((sum, length) => sum + length, samples);
    if (playing + waitingSamples > maxPromptSamples) return false;
    return waiting.length === 0 || (waiting.length < maxQueuedParts && waitingSamples <= maxQueuedSamples);
  }
}
