import type { NodeLoad } from './node-load.ts';

export interface CapacityLimits {
  /** Calls at once, of all directions; undefined: as many as the machine carries. */
  maxCalls?: number | undefined;
  /** 0: not looked at. */
  maxLateTickShare: number;
  /** 0: not looked at. */
  minFreeDiskBytes: number;
}

/** Why no new calls are taken. */
export const shortages = ['calls', 'late', 'spool', 'disk'] as const;
export type Shortage = (typeof shortages)[number];

/** A packet that waits for the disk behind so many others is still safe, one more burst may not be. */
const maxRingFill = 0.5;
/** One look alone is a hiccup. */
const looksUntilLate = 2;
/** So long all must have been well before calls are taken again: a node at its limit does not flutter. */
const looksUntilWell = 5;

/**
 * Decides whether one more call may come, before those that are here suffer from it. Pure: fed with one look at the
 * node a second.
 */
export class Capacity {
  readonly #limits: CapacityLimits;
  #lateLooks = 0;
  #wellLooks = 0;
  #shortage: Exclude<Shortage, 'calls'> | undefined;

  constructor(limits: CapacityLimits) {
    this.#limits = limits;
  }

  /** @returns whether the shortage changed */
  observe(load: NodeLoad): boolean {
    const before = this.#shortage;
    const found = this.#find(load);
    if (found !== undefined) {
      this.#wellLooks = 0;
      this.#shortage = found;
    } else if (this.#shortage !== undefined && ++this.#wellLooks >= looksUntilWell) {
      this.#shortage = undefined;
    }
    return this.#shortage !== before;
  }

  /** @param calls that are here */
  shortageAt(calls: number): Shortage | undefined {
    const { maxCalls } = this.#limits;
    return this.#shortage ?? (maxCalls !== undefined && calls >= maxCalls ? 'calls' : undefined);
  }

  /** What lasts is named before what passes. */
  #find(load: NodeLoad): Exclude<Shortage, 'calls'> | undefined {
    const { maxLateTickShare, minFreeDiskBytes } = this.#limits;
    const { lateTickShare, silentWorkers } = load;
    const isLate = maxLateTickShare > 0 && (lateTickShare > maxLateTickShare || silentWorkers > 0);
    this.#lateLooks = isLate ? this.#lateLooks + 1 : 0;
    if (minFreeDiskBytes > 0 && (load.freeDiskBytes ?? 0) < minFreeDiskBytes) return 'disk';
    if (load.lostPackets > 0 || load.ringFill > maxRingFill) return 'spool';
    return this.#lateLooks >= looksUntilLate ? 'late' : undefined;
  }
}
