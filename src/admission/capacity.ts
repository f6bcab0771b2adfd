import type { NodeLoad, SignallingLoad } from './node-load.ts';

export interface CapacityLimits {
  /** Calls at once, of all directions; undefined: as many as the machine carries. */
  maxCalls?: number | undefined;
  /** 0: not looked at. */
  maxLateTickShare: number;
  /** 0: not looked at. */
  minFreeDiskBytes: number;
  /** That the server's own thread, or its database, may have nothing but work, in one piece. 0: not looked at. */
  maxSignallingBusyMs: number;
}

/** Why no new calls are taken. */
export const shortages = ['calls', 'late', 'sends', 'spool', 'disk', 'signalling'] as const;
export type Shortage = (typeof shortages)[number];

type Lasting = Exclude<Shortage, 'calls' | 'signalling'>;

/** A packet that waits for the disk behind so many others is still safe, one more burst may not be. */
const maxRingFill = 0.5;
/** Above half of what it may have the writer settles all of it: more is there only where the disk refuses. */
const maxUnsettledFill = 0.75;
/** Of what is sent: from there on it can be heard. */
const maxUnsentShare = 0.01;
/** One look alone is a hiccup. */
const looksUntilLate = 2;
/** So long all must have been well before calls are taken again: a node at its limit does not flutter. */
const looksUntilWell = 5;
/**
 * What waits for so long while there is nothing but work will wait for longer, and a call that is set up waits several
 * times; what waits less is done in time by a thread that is only busy.
 */
const maxWaitMs = 250;
/** What waits for so long shows it in a fifth of the time. */
const longWait = { ms: 1000, share: 0.2 };
/** Then calls are taken again: a node at its limit does not flutter. */
const shortWaitMs = 100;
/** Of a look's time: a thread that hardly waits for anything has more to do than it gets done. */
const busyFromShare = 0.95;

/**
 * Decides whether one more call may come, before those that are here suffer from it. Pure: fed with one look at the
 * node a second, and several at the thread that does the signalling.
 */
export class Capacity {
  readonly #limits: CapacityLimits;
  #lateLooks = 0;
  #unsentLooks = 0;
  #wellLooks = 0;
  #shortage: Lasting | undefined;
  #signallingBusyMs = 0;
  #isSignallingBehind = false;

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

  /**
   * One look at which little waits is enough to take calls again: what had piled up is done then, and to refuse some
   * costs little.
   *
   * @returns whether the shortage began or ended
   */
  observeSignalling(
    { busyShare, waitingQueries, longestWaitMs }: SignallingLoad,
    elapsedMs: number,
  ): boolean {
    const wasBehind = this.#isSignallingBehind;
    const isBusy = busyShare >= busyFromShare || waitingQueries > 0;
    this.#signallingBusyMs = isBusy ? this.#signallingBusyMs + elapsedMs : 0;
    const fromMs = wasBehind ? shortWaitMs : this.#refusedWaitMs();
    this.#isSignallingBehind = isBusy && longestWaitMs >= fromMs;
    return this.#isSignallingBehind !== wasBehind;
  }

  /** By how long there has been nothing but work. */
  #refusedWaitMs(): number {
    const { maxSignallingBusyMs } = this.#limits;
    if (maxSignallingBusyMs === 0) return Number.POSITIVE_INFINITY;
    if (this.#signallingBusyMs >= maxSignallingBusyMs) return maxWaitMs;
    return this.#signallingBusyMs >= longWait.share * maxSignallingBusyMs
      ? longWait.ms
      : Number.POSITIVE_INFINITY;
  }

  /** @param calls that are here */
  shortageAt(calls: number): Shortage | undefined {
    const { maxCalls } = this.#limits;
    if (this.#shortage !== undefined) return this.#shortage;
    if (this.#isSignallingBehind) return 'signalling';
    return maxCalls !== undefined && calls >= maxCalls ? 'calls' : undefined;
  }

  /** What lasts is named before what passes. */
  #find(load: NodeLoad): Lasting | undefined {
    const { maxLateTickShare, minFreeDiskBytes } = this.#limits;
    const { lateTickShare, silentWorkers } = load;
    const isLate = maxLateTickShare > 0 && (lateTickShare > maxLateTickShare || silentWorkers > 0);
    this.#lateLooks = isLate ? this.#lateLooks + 1 : 0;
    this.#unsentLooks = load.unsentShare > maxUnsentShare ? this.#unsentLooks + 1 : 0;
    if (minFreeDiskBytes > 0 && (load.freeDiskBytes ?? 0) < minFreeDiskBytes) return 'disk';
    if (load.lostPackets > 0 || load.ringFill > maxRingFill) return 'spool';
    if (load.unsettledFill > maxUnsettledFill) return 'spool';
    if (this.#unsentLooks >= looksUntilLate) return 'sends';
    return this.#lateLooks >= looksUntilLate ? 'late' : undefined;
  }
}
