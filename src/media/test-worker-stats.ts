import { latenessBoundsUs } from '../rtp/tick-histogram.ts';
import type { WorkerStats } from './control.ts';

/** Of a media worker that has nothing to do. */
export const idleStats: WorkerStats = {
  driver: 'ffi',
  ...{ openPorts: 0, legs: 0, rooms: 0, recordings: 0 },
  ...{ receivedPackets: 0, sentPackets: 0, failedSends: 0, encodedSlots: 0, lateTicks: 0, maxLatenessUs: 0 },
  ...{ sendOverflows: 0, waitingSends: 0, droppedDatagrams: 0, socketErrors: 0 },
  ...{ latenessCounts: latenessBoundsUs.map(() => 0).concat(0), latenessSumUs: 0 },
  ...{ ringOverflows: 0, ringWaitingBytes: 0, ringBytes: 1_000_000 },
  ...{ unsettledBytes: 0, unsettledLimitBytes: 1_000_000 },
  ...{ cpuUs: 0, residentBytes: 0 },
};
