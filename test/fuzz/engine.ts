import { getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Coverage } from './coverage.ts';
import { type MutatorOptions, mutate, replaced } from './mutator.ts';
import { Random } from './random.ts';
import type { FuzzTarget } from './target.ts';

export interface Finding {
  kind: 'exception' | 'slow' | 'growth' | 'hang';
  message: string;
  input: Uint8Array;
}

/** CPU time that no input may cost: a handful of them a second would keep the process busy. */
const slowCpuMs = 200;
/** Of two inputs of the same coverage the one that costs this much more is worth another look. */
const costlierFactor = 1.5;
const costlyCpuMs = 3;
/** What may be alive more at the end than after a quarter of the run. */
const growthLimitBytes = 16 * 1024 * 1024;
const maxFindings = 20;
const maxKept = 4000;
const shrinkTries = 1500;
const trimTries = 120;

/** Runs one target over and over: keeps inputs that pass somewhere new, and changes those. */
export class Engine {
  readonly findings: Finding[] = [];
  readonly kept: Uint8Array[] = [];
  executions = 0;
  slowest = { cpuMs: 0, bytes: 0 };
  readonly #target: FuzzTarget;
  readonly #coverage: Coverage;
  readonly #random: Random;
  readonly #mutator: MutatorOptions;
  readonly #begins: (input: Uint8Array) => void;
  readonly #collectGarbage = runInNewContext('gc') as () => void;
  readonly #steersByCost: boolean;
  #baselineBytes: number | undefined;

  /**
   * @param options.steersByCost also keep what is slow; not where a run is to be repeatable
   * @param options.begins told of each input before it is fed
   */
  constructor(
    target: FuzzTarget,
    coverage: Coverage,
    options: { seed: number; steersByCost: boolean; begins(input: Uint8Array): void },
  ) {
    this.#target = target;
    this.#coverage = coverage;
    this.#random = new Random(options.seed);
    this.#begins = options.begins;
    this.#steersByCost = options.steersByCost;
    const { isText, maxBytes } = target;
    const dictionary = target.dictionary.map((word) => (typeof word === 'string' ? Buffer.from(word) : word));
    this.#mutator = { random: this.#random, dictionary, isText, maxBytes };
  }

  /** Feeds an input as it is, and keeps it. */
  async seed(input: Uint8Array): Promise<void> {
    await this.#feed(input);
    this.kept.push(input);
  }

  async step(): Promise<void> {
    const input = mutate(this.#choose(), this.#random.pick(this.kept), this.#mutator);
    const cpuMs = await this.#feed(input);
    const costly = this.#steersByCost && cpuMs > costlyCpuMs && cpuMs > costlierFactor * this.slowest.cpuMs;
    if (cpuMs > this.slowest.cpuMs) this.slowest = { cpuMs, bytes: input.length };
    if ((this.#isNew || costly) && this.kept.length < maxKept) this.kept.push(input);
  }

  /** Whether what lives longer than an input is as it should be. @param isEarly this is what growth is measured from */
  async settle(isEarly: boolean): Promise<number> {
    await this.#guard(new Uint8Array(0), async () => this.#target.settle?.());
    // Memory outside of the heap is given back a turn later.
    for (let turn = 0; turn < 2; turn++) {
      this.#collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { used_heap_size, external_memory } = getHeapStatistics();
    const ours = this.kept.reduce((sum, { length }) => sum + length + 200, 0);
    const bytes = used_heap_size + external_memory - ours;
    if (isEarly || this.#baselineBytes === undefined) this.#baselineBytes = bytes;
    const grown = bytes - this.#baselineBytes;
    if (grown > growthLimitBytes) {
      this.#note({ kind: 'growth', message: `${grown} bytes more are alive`, input: new Uint8Array(0) });
      this.#baselineBytes = bytes;
    }
    return grown;
  }

  /** Of what was kept, the few that pass every place that any of them does; the short ones first, cut to what matters. */
  async distilled(): Promise<Uint8Array[]> {
    const passed = new Set<number>();
    const few: Uint8Array[] = [];
    for (const input of [...this.kept].sort((a, b) => a.length - b.length)) {
      const fresh = (await this.#passedBy(input)).filter((point) => !passed.has(point));
      if (fresh.length === 0) continue;
      for (const point of fresh) passed.add(point);
      few.push(
        await this.#cut(input, trimTries, async (candidate) => {
          const still = new Set(await this.#passedBy(candidate));
          return fresh.every((point) => still.has(point));
        }),
      );
    }
    return few;
  }

  async #passedBy(input: Uint8Array): Promise<number[]> {
    this.#coverage.take();
    this.#begins(input);
    await this.#guard(input, () => this.#target.run(input));
    return this.#coverage.passed();
  }

  #isNew = false;

  #choose(): Uint8Array {
    const { kept } = this;
    const recent = Math.max(1, Math.floor(kept.length / 4));
    return this.#random.oneIn(2)
      ? this.#random.pick(kept)
      : kept[kept.length - 1 - this.#random.below(recent)]!;
  }

  /** @returns CPU milliseconds */
  async #feed(input: Uint8Array): Promise<number> {
    let cpuMs = await this.#timed(input);
    this.#isNew = this.#coverage.take() > 0;
    // Once may be a garbage collection or a compilation.
    for (let again = 0; again < 2 && cpuMs > slowCpuMs; again++)
      cpuMs = Math.min(cpuMs, await this.#timed(input));
    if (cpuMs > slowCpuMs)
      this.#note({
        kind: 'slow',
        message: `${cpuMs.toFixed(0)} ms of CPU time`,
        input: Uint8Array.from(input),
      });
    return cpuMs;
  }

  async #timed(input: Uint8Array): Promise<number> {
    this.executions++;
    this.#begins(input);
    const before = process.threadCpuUsage();
    await this.#guard(input, () => this.#target.run(input));
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  }

  async #guard(input: Uint8Array, run: () => void | Promise<void>): Promise<void> {
    try {
      const running = run();
      if (running !== undefined) await running;
    } catch (error) {
      const message = describe(error);
      if (this.findings.some((finding) => finding.message === message)) return;
      this.#note({ kind: 'exception', message, input: await this.#shrunk(input, message) });
    }
  }

  #note(finding: Finding): void {
    const known = this.findings.filter(({ kind }) => kind === finding.kind).length;
    if (known < (finding.kind === 'exception' ? maxFindings : 3)) this.findings.push(finding);
  }

  #shrunk(input: Uint8Array, message: string): Promise<Uint8Array> {
    return this.#cut(input, shrinkTries, (candidate) => this.#fails(candidate, message));
  }

  /** As much of the input left out as can be where the rest must still serve. */
  async #cut(
    input: Uint8Array,
    maxTries: number,
    serves: (candidate: Uint8Array) => Promise<boolean>,
  ): Promise<Uint8Array> {
    let small = Uint8Array.from(input);
    let tries = 0;
    for (let piece = small.length >> 1; piece > 0 && tries < maxTries; piece >>= 1)
      for (let at = 0; at + piece <= small.length && tries < maxTries; tries++) {
        const candidate = replaced(small, at, piece);
        if (await serves(candidate)) small = Uint8Array.from(candidate);
        else at += piece;
      }
    return small;
  }

  async #fails(input: Uint8Array, message: string): Promise<boolean> {
    try {
      this.#begins(input);
      await this.#target.run(input);
      return false;
    } catch (error) {
      return describe(error) === message;
    }
  }
}

/** Where it happened makes two findings differ, what the input was does not. */
function describe(error: unknown): string {
  const { name, message, stack } = error as Error;
  const place =
    /\((?:file:\/\/)?[^)]*\/((?:src|test)\/[^)]*)\)|at (?:file:\/\/)?\S*\/((?:src|test)\/\S*)/.exec(
      stack ?? '',
    );
  return `${name}: ${String(message).split('\n')[0]} (${place?.[1] ?? place?.[2] ?? 'unknown place'})`;
}
