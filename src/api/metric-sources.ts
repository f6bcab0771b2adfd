import { statfs } from 'node:fs/promises';
import { shortages } from '../admission/capacity.ts';
import type { NodeWatch } from '../admission/node-watch.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import { type Backlog, listBacklogs } from '../database/backlogs.ts';
import type { Db } from '../database/schema.ts';
import type { WorkerStats } from '../media/control.ts';
import { latenessBoundsUs } from '../rtp/tick-histogram.ts';
import { unlistedTransitions } from '../state-machine.ts';
import type { WorkerPool } from '../worker/worker-pool.ts';
import type { Metric, MetricSample } from './metrics-text.ts';

/** Where metrics come from; asked anew for each scrape. */
export interface MetricSource {
  /** Told where it fails or is late: the others are given out all the same. */
  name: string;
  collect(): Promise<readonly Metric[]> | readonly Metric[];
}

function gauge(name: string, help: string, samples: number | readonly MetricSample[]): Metric {
  return { name, type: 'gauge', help, samples: typeof samples === 'number' ? [{ value: samples }] : samples };
}

function counter(name: string, help: string, samples: number | readonly MetricSample[]): Metric {
  return { ...gauge(name, help, samples), type: 'counter' };
}

export function callMetrics(calls: Pick<LiveCalls, 'counts'>): MetricSource {
  return {
    name: 'calls',
    collect() {
      const { calls: legs, conferences, unfinishedConversations } = calls.counts;
      return [
        gauge('callreel_calls', 'Calls that go on, each leg by itself.', legs),
        gauge('callreel_conferences', 'Conferences that go on.', conferences),
        gauge(
          'callreel_conversations_unfinished',
          'Conversations that go on, or whose end is not on record yet.',
          unfinishedConversations,
        ),
      ];
    },
  };
}

export function mediaMetrics(pool: Pick<WorkerPool, 'workers'>): MetricSource {
  return {
    name: 'media',
    async collect() {
      const { workers } = pool;
      const asked = await Promise.all(
        workers.map(async (worker) => ({
          // `w1` of `w1-…`: what follows is another for each start.
          labels: { worker: worker.workerId.split('-')[0]! },
          // One that was just lost has nothing to tell.
          stats: await worker.stats().catch(() => undefined),
        })),
      );
      const told = asked.flatMap(({ labels, stats }) => (stats ? [{ labels, stats }] : []));
      const of = (pick: (stats: WorkerStats) => number) =>
        told.map(({ labels, stats }) => ({ labels, value: pick(stats) }));
      return [
        gauge('callreel_media_workers', 'Media workers that answer.', told.length),
        gauge(
          'callreel_recordings',
          'Recordings that go on, or are not on disk yet.',
          of((s) => s.recordings),
        ),
        gauge(
          'callreel_media_ports',
          'UDP ports that are open for media.',
          of((s) => s.openPorts),
        ),
        counter(
          'callreel_media_packets_received_total',
          'RTP packets received.',
          of((s) => s.receivedPackets),
        ),
        counter(
          'callreel_media_packets_sent_total',
          'RTP packets sent.',
          of((s) => s.sentPackets),
        ),
        counter(
          'callreel_media_sends_failed_total',
          'RTP packets that could not be sent.',
          of((s) => s.failedSends),
        ),
        counter(
          'callreel_media_slots_encoded_total',
          'Slots of 20 ms that were encoded as G.722 or Opus, one for all who hear the same.',
          of((s) => s.encodedSlots),
        ),
        counter(
          'callreel_media_ticks_late_total',
          'Turns of the media loop that began more than a turn late, or were left out for one that did.',
          of((s) => s.lateTicks),
        ),
        gauge(
          'callreel_media_lateness_max_seconds',
          'The latest that a turn began since the worker was started.',
          of((s) => s.maxLatenessUs / 1e6),
        ),
        {
          name: 'callreel_media_tick_lateness_seconds',
          type: 'histogram',
          help: 'How late the turns of the media loop began.',
          samples: told.flatMap(({ labels, stats }) => latenessSamples(labels, stats)),
        },
        gauge(
          'callreel_spool_waiting_bytes',
          'What was received and is not taken by the thread that writes it.',
          of((s) => s.ringWaitingBytes),
        ),
        gauge(
          'callreel_spool_waiting_limit_bytes',
          'How much of that there is room for.',
          of((s) => s.ringBytes),
        ),
        counter(
          'callreel_spool_overflows_total',
          'Packets and keys that were lost because the disk did not keep up.',
          of((s) => s.ringOverflows),
        ),
      ];
    },
  };
}

/** Buckets of a histogram hold what those below them do. */
function latenessSamples(
  labels: Readonly<Record<string, string>>,
  { latenessCounts, latenessSumUs }: WorkerStats,
): MetricSample[] {
  let below = 0;
  const buckets = latenessCounts.map((count, bucket) => {
    below += count;
    const boundUs = latenessBoundsUs[bucket];
    const le = boundUs === undefined ? '+Inf' : String(boundUs / 1e6);
    return { suffix: '_bucket', labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: latenessSumUs / 1e6 },
    { suffix: '_count', labels, value: below },
  ];
}

/** Whether new calls are taken, and how many were not. */
export function admissionMetrics(watch: Pick<NodeWatch, 'shortage' | 'refusals'>): MetricSource {
  return {
    name: 'admission',
    collect: () => [
      gauge(
        'callreel_admission_shortage',
        '1 where new calls are refused for this reason (docs/capacity.md).',
        shortages.map((reason) => ({ labels: { reason }, value: watch.shortage === reason ? 1 : 0 })),
      ),
      counter(
        'callreel_admission_refused_total',
        'Calls that were refused, by reason.',
        shortages.map((reason) => ({ labels: { reason }, value: watch.refusals[reason] ?? 0 })),
      ),
    ],
  };
}

interface BacklogMetric {
  name: string;
  help: string;
  states: readonly string[];
}

const triedStates = ['waiting', 'running', 'failing', 'dead'];
const backlogKinds: Readonly<Record<Backlog['kind'], BacklogMetric>> = {
  transcript: {
    name: 'callreel_transcripts',
    help: 'Transcripts of ended recordings that are to be made, or were given up (dead), by state.',
    states: triedStates,
  },
  'transcript file': {
    name: 'callreel_transcript_files',
    help: 'Transcripts whose text is there and whose file is to be delivered, or was given up (dead), by state.',
    states: triedStates,
  },
  delivery: {
    name: 'callreel_deliveries',
    help: 'Files of ended recordings that are to be delivered, or were given up (dead), by state.',
    states: ['waiting', 'uploading', 'failing', 'dead'],
  },
  event: {
    name: 'callreel_events',
    help: 'Events that are to be sent, or were given up (dead), by state.',
    states: ['pending', 'dead'],
  },
};

/** @param clock by which things are tried again */
export function backlogMetrics(db: Db, node: string, clock: Clock): MetricSource {
  return {
    name: 'backlog',
    async collect() {
      const backlogs = await listBacklogs(db, node);
      return Object.entries(backlogKinds).flatMap(([kind, { name, help, states }]) => {
        const rows = backlogs.filter((row) => row.kind === kind);
        const sinceMs = rows.flatMap(({ oldest }) => (oldest ? [oldest.getTime()] : []));
        const waitedMs = sinceMs.length > 0 ? clock.unixMs() - Math.min(...sinceMs) : 0;
        const countOf = (state: string) => rows.find((row) => row.state === state)?.count ?? 0;
        return [
          gauge(
            name,
            help,
            states.map((state) => ({ labels: { state }, value: countOf(state) })),
          ),
          gauge(
            `${name}_oldest_seconds`,
            'How long the longest waiting of them waits; 0 where none does.',
            Math.max(0, waitedMs / 1000),
          ),
        ];
      });
    },
  };
}

/** Of the disk that the data directory is on, and of the server's process. */
export function machineMetrics(dataDir: string, clock: Clock): MetricSource {
  const startedSeconds = clock.unixMs() / 1000 - process.uptime();
  return {
    name: 'machine',
    async collect() {
      const { bsize, bavail, blocks } = await statfs(dataDir);
      const { user, system } = process.cpuUsage();
      return [
        gauge('callreel_disk_free_bytes', 'Free on the disk of the data directory.', bavail * bsize),
        gauge('callreel_disk_bytes', 'Size of the disk of the data directory.', blocks * bsize),
        counter(
          'process_cpu_seconds_total',
          'CPU time of the server process, without its workers.',
          (user + system) / 1e6,
        ),
        gauge('process_resident_memory_bytes', 'Memory of the server process.', process.memoryUsage.rss()),
        gauge(
          'process_start_time_seconds',
          'Unix time at which the server process was started.',
          startedSeconds,
        ),
        counter(
          'callreel_unlisted_transitions_total',
          'Events that came in a state in which nothing is to be done for them: an odd peer, or our mistake.',
          [...unlistedTransitions.values()].reduce((sum, count) => sum + count, 0),
        ),
      ];
    },
  };
}
