/** Why nothing is there. `start`: before the first packet. */
export type HoleCause = 'start' | 'loss' | 'pause' | 'jump';

export interface Hole {
  readonly cause: HoleCause;
  readonly fromSample: number;
  readonly toSample: number;
}

const none: readonly Hole[] = [];

/**
 * The empty spans a late packet may still fill, in rising order, never overlapping. A packet goes behind all audio or
 * into a hole: so no sample is ever placed twice, whatever sequence numbers and timestamps claim.
 */
export class Holes {
  #open: Hole[] = [];

  get open(): readonly Hole[] {
    return this.#open;
  }

  push(hole: Hole): void {
    this.#open.push(hole);
  }

  /**
   * Takes what is free of [atSample, atSample + samples), from `atSample` on.
   * @returns the hole it lay in and how many samples fit, or undefined where `atSample` is taken
   */
  take(atSample: number, samples: number): { hole: Hole; samples: number } | undefined {
    const index = this.#open.findLastIndex(
      ({ fromSample, toSample }) => fromSample <= atSample && atSample < toSample,
    );
    const hole = this.#open[index];
    if (!hole || samples <= 0) return undefined;
    const endSample = Math.min(atSample + samples, hole.toSample);
    const rest: Hole[] = [];
    if (hole.fromSample < atSample) rest.push({ ...hole, toSample: atSample });
    if (endSample < hole.toSample) rest.push({ ...hole, fromSample: endSample });
    this.#open.splice(index, 1, ...rest);
    return { hole, samples: endSample - atSample };
  }

  /** Removes and returns the holes that end at or before `settledSample`: nothing fills them any more. */
  settle(settledSample: number): readonly Hole[] {
    const first = this.#open[0];
    if (!first || first.toSample > settledSample) return none;
    const kept = this.#open.findIndex(({ toSample }) => toSample > settledSample);
    return this.#open.splice(0, kept < 0 ? this.#open.length : kept);
  }
}
