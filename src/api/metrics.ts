import type { WorkerStats } from '../media/control.ts';
import { latenessBoundsUs } from '../rtp/tick-histogram.ts';

/** What `GET /metrics` tells of a node. */
export interface NodeFigures {
  calls: { calls: number; conferences: number; unfinishedConversations: number };
  /** One entry for each media worker. */
  workers: readonly WorkerStats[];
}

interface Metric {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  value: (stats: WorkerStats) => number;
}

const ofWorkers: readonly Metric[] = [
  {
    name: 'callreel_media_legs',
    type: 'gauge',
    help: 'Parties with open media.',
    value: (stats) => stats.legs,
  },
  { name: 'callreel_media_rooms', type: 'gauge', help: 'Conversations.', value: (stats) => stats.rooms },
  { name: 'callreel_media_recordings', type: 'gauge', help: 'That run.', value: (stats) => stats.recordings },
  { name: 'callreel_media_ports', type: 'gauge', help: 'Open UDP ports.', value: (stats) => stats.openPorts },
  {
    name: 'callreel_media_received_packets_total',
    type: 'counter',
    help: 'Datagrams that came.',
    value: (stats) => stats.receivedPackets,
  },
  {
    name: 'callreel_media_sent_packets_total',
    type: 'counter',
    help: 'Datagrams that were sent.',
    value: (stats) => stats.sentPackets,
  },
  {
    name: 'callreel_media_failed_sends_total',
    type: 'counter',
    help: 'Datagrams that the system refused.',
    value: (stats) => stats.failedSends,
  },
  {
    name: 'callreel_media_ring_overflows_total',
    type: 'counter',
    help: 'Packets that were lost to recordings because the disk did not keep up.',
    value: (stats) => stats.ringOverflows,
  },
];
const latenessName = 'callreel_media_tick_lateness_seconds';

/** Prometheus text exposition format 0.0.4; `worker` counts the media workers from 1. */
export function formatMetrics({ calls, workers }: NodeFigures): string {
  const lines = [
    ...gauge('callreel_calls', 'Calls that run.', calls.calls),
    ...gauge('callreel_conferences', 'Conferences that run.', calls.conferences),
    ...gauge('callreel_unfinished_conversations', 'Not on record as ended.', calls.unfinishedConversations),
  ];
  for (const { name, type, help, value } of ofWorkers) {
    lines.push(...head(name, type, help));
    for (const [index, stats] of workers.entries())
      lines.push(`${name}{worker="${index + 1}"} ${value(stats)}`);
  }
  lines.push(...head(latenessName, 'histogram', 'How late the ticks of the media clock began.'));
  for (const [index, stats] of workers.entries()) lines.push(...histogramLines(index + 1, stats));
  return `${lines.join('\n')}\n`;
}

function gauge(name: string, help: string, value: number): string[] {
  return [...head(name, 'gauge', help), `${name} ${value}`];
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function histogramLines(worker: number, { latenessCounts, latenessSumUs }: WorkerStats): string[] {
  let below = 0;
  const buckets = latenessCounts.map((count, bucket) => {
    below += count;
    const bound = latenessBoundsUs[bucket];
    return `${latenessName}_bucket{worker="${worker}",le="${bound === undefined ? '+Inf' : bound / 1e6}"} ${below}`;
  });
  return [
    ...buckets,
    `${latenessName}_sum{worker="${worker}"} ${latenessSumUs / 1e6}`,
    `${latenessName}_count{worker="${worker}"} ${below}`,
  ];
}
