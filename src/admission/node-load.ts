import type { WorkerStats } from '../media/control.ts';

/** How the node did since the last look; of several media workers the worst. */
export interface NodeLoad {
  /** Ticks of the media loop that began more than a period late, or were left out for one that did, 0..1. */
  lateTickShare: number;
  /** How full the ring between packets and disk is, 0..1. */
  ringFill: number;
  /** Packets that found no place in it. */
  lostPackets: number;
  /** Of what the thread that writes the spool may have in its journal and not in files, the share that it has, 0..1. */
  unsettledFill: number;
  /** Of what was to be sent, what found no room or waits for it, 0..1; 0 while it is so little that one peer explains it. */
  unsentShare: number;
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
  /** Of the thread's next turn, or the query that has waited for longest. */
  longestWaitMs: number;
}

/** What a media worker said, and when. */
export interface WorkerSample {
  workerId: string;
  atUs: number;
  stats: WorkerStats;
}

/**
 * The densest stream there is, of 5 ms. A neighbour that is gone takes its socket's buffer while it is asked for by ARP, so
 * that what is meant for it finds no room: that is no shortage of the node's.
 */
const packetsPerSecondOfOnePeer = 200;

/** Counters only grow; a worker that is new is judged from its next sample on. */
export function loadBetween(
  before: ReadonlyMap<string, WorkerSample>,
  now: readonly WorkerSample[],
  tickPeriodUs: number,
): Omit<NodeLoad, 'silentWorkers' | 'freeDiskBytes'> {
  const load = { lateTickShare: 0, ringFill: 0, lostPackets: 0, unsettledFill: 0, unsentShare: 0 };
  for (const sample of now) {
    const { workerId, atUs, stats } = sample;
    load.ringFill = Math.max(load.ringFill, stats.ringWaitingBytes / stats.ringBytes);
    load.unsettledFill = Math.max(load.unsettledFill, stats.unsettledBytes / stats.unsettledLimitBytes);
    const last = before.get(workerId);
    if (!last) continue;
    const ticks = (atUs - last.atUs) / tickPeriodUs;
    const late = stats.lateTicks - last.stats.lateTicks;
    if (ticks >= 1) load.lateTickShare = Math.max(load.lateTickShare, Math.min(1, late / ticks));
    load.lostPackets += stats.ringOverflows - last.stats.ringOverflows;
    load.unsentShare = Math.max(load.unsentShare, unsentShare(last, sample));
  }
  return load;
}

function unsentShare(last: WorkerSample, now: WorkerSample): number {
  const sent = now.stats.sentPackets - last.stats.sentPackets;
  const unsent = now.stats.sendOverflows - last.stats.sendOverflows + now.stats.waitingSends;
  // A look may come late, and what waited before it is told of with it.
  const mostOfOnePeer = packetsPerSecondOfOnePeer * (1 + Math.max(1, (now.atUs - last.atUs) / 1e6));
  return unsent > mostOfOnePeer ? unsent / (sent + unsent) : 0;
}
