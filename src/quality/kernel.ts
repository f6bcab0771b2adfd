import { readFileSync } from 'node:fs';

/**
 * `wasm/quality`: what is counted of a signal, for each of its samples and levels, as WebAssembly. The classes beside
 * this file say what the numbers mean. Addresses are bytes in `memory`; states are arrays of numbers of 64 bits.
 */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  init(): void;
  samples(): number;
  rows(): number;
  fineRows(): number;
  levels(): number;
  hopState(): number;
  hopStateLength(): number;
  state(): number;
  stateLength(): number;
  /** @returns the number of rows */
  bandLevels(samples: number): number;
  addBlock(rows: number, fineRows: number): void;
  addLevels(state: number, rows: number): void;
  addSlopes(state: number, levels: number): void;
  addFalls(state: number, levels: number): void;
  addModulations(state: number, levels: number): void;
  addEnvelope(state: number, levels: number): void;
  addDrops(state: number, levels: number): void;
  addFine(state: number, rows: number): void;
  noiseLevel(rows: number): number;
  topLevel(rows: number): number;
  addHops(
    count: number,
    hopSamples: number,
    decay: number,
    hopDecay: number,
    follows: number,
    hangoverHops: number,
  ): void;
  greatest(samples: number): number;
  clearSum(samples: number): void;
  addToSum(at: number, samples: number): void;
  takeSum(samples: number): void;
}

/** Of those that take a state and the number of what was put before. */
export type StateVerb = {
  [Verb in keyof KernelExports]: KernelExports[Verb] extends (state: number, count: number) => void
    ? Verb
    : never;
}[Exclude<keyof KernelExports, 'addBlock'>] &
  `add${string}`;

const mostSamples = 480_000;
const mostRows = 1024;
const rowBytes = { row: 10, fineRow: 48 };
const mostLevels = 8192;

/** One for all signals of a thread, which are looked at one after the other: nothing stays in it from one to the next. */
export class Kernel {
  readonly run: KernelExports;
  /** Up to 10 s at 48 kHz. */
  readonly samples: Int16Array;
  readonly rows: Uint8Array;
  readonly fineRows: Uint8Array;
  readonly levels: Float64Array;
  /** The smoothed level, the envelope, the energy; of each threshold the hops above it, then for how many it was not reached. */
  readonly hopState: Float64Array;
  readonly state: Float64Array;
  readonly #state: number;

  constructor() {
    const module = new WebAssembly.Module(
      readFileSync(new URL('../../wasm/quality/quality.wasm', import.meta.url)),
    );
    const { cos, sin, exp, log, log10 } = Math;
    const instance = new WebAssembly.Instance(module, { math: { cos, sin, exp, log, log10 } });
    this.run = instance.exports as unknown as KernelExports;
    this.run.init();
    const { buffer } = this.run.memory;
    this.#state = this.run.state();
    this.samples = new Int16Array(buffer, this.run.samples(), mostSamples);
    this.rows = new Uint8Array(buffer, this.run.rows(), mostRows * rowBytes.row);
    this.fineRows = new Uint8Array(buffer, this.run.fineRows(), (mostRows / 2) * rowBytes.fineRow);
    this.levels = new Float64Array(buffer, this.run.levels(), mostLevels);
    this.hopState = new Float64Array(buffer, this.run.hopState(), this.run.hopStateLength());
    this.state = new Float64Array(buffer, this.#state, this.run.stateLength());
  }

  /** @returns how many there are. @throws RangeError of more than 10 s at 48 kHz */
  putSamples(samples: Int16Array, start: number, end: number): number {
    this.samples.set(start === 0 && end === samples.length ? samples : samples.subarray(start, end));
    return end - start;
  }

  /** Lets one of them add to `state` what was put. */
  add(verb: StateVerb, state: Float64Array, count: number): void {
    this.state.set(state);
    this.run[verb](this.#state, count);
    state.set(this.state.subarray(0, state.length));
  }
}

let shared: Kernel | undefined;

export function kernel(): Kernel {
  shared ??= new Kernel();
  return shared;
}

/** As `Kernel.add`, of levels. */
export function addTo(verb: StateVerb, state: Float64Array, levels: Float64Array): void {
  kernel().levels.set(levels);
  kernel().add(verb, state, levels.length);
}
