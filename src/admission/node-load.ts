import type { WorkerStats } from '../media/control.ts';

/** How the node did since the last look; of several media workers the worst. */
export interface NodeLoad {
  /** Ticks of the media loop that began more than a period late, or were left out for one that did, 0..1. */
  lateTickShare: number;
  /** How full the ring between packets and disk is, 0..1. */
  ringFill: number;
  /** Packets that found no place in it. */
  lostPackets: number;
  /** Media workers that are there and did not say in time how they are. */
  silentWorkers: number;
  /** Where the spool lies; undefined while the disk does not answer. */
  freeDiskBytes: number | undefined;
}

/** How what sets calls up did since the last look. */
export interface SignallingLoad {
  /** Of the time, the share in which the server's own thread worked, 0..1. */
  busyShare: number;
  /** For a connection of the database, now. */
  waitingQueries: number;
}

/** What a media worker said, and when. */
export interface WorkerSample {
  workerId: string;
  atUs: number;
  stats: WorkerStats;
}

/** Counters only grow; a worker that is new is judged from its next sample on. */
export function loadBetween(
  before: ReadonlyMap<string, WorkerSample>,
  now: readonly WorkerSample[],
  tickPeriodUs: number,
): Pick<NodeLoad, 'lateTickShare' | 'ringFill' | 'lostPackets'> {
  const load = { lateTickShare: 0, ringFill: 0, lostPackets: 0 };
  for (const { workerId, atUs, stats } of now) {
    load.ringFill = Math.max(load.ringFill, stats.ringWaitingBytes / stats.ringBytes);
    const last = before.get(workerId);
    if (!last) continue;
    const ticks = (atUs - last.atUs) / tickPeriodUs;
    const late = stats.lateTicks - last.stats.lateTicks;
    if (ticks >= 1) load.lateTickShare = Math.max(load.lateTickShare, Math.min(1, late / ticks));
    load.lostPackets += stats.ringOverflows - last.stats.ringOverflows;
  }
  return load;
}
