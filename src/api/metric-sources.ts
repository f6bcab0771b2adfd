import { shortages } from '../admission/capacity.ts';
import type { DiskSpace } from '../admission/disk-watch.ts';
import { eventLoopBusySeconds } from '../admission/event-loop.ts';
import type { NodeWatch } from '../admission/node-watch.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import { type Backlog, listBacklogs } from '../database/backlogs.ts';
import type { Db } from '../database/schema.ts';
import { udpReceiveBufferErrors } from '../rtp/udp-receive-errors.ts';
import { unlistedTransitions } from '../state-machine.ts';
import { counter, gauge, type MetricSource } from './metrics-text.ts';

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

/** @param waitingQueries for a connection of the database, now */
export function signallingMetrics(waitingQueries: () => number): MetricSource {
  return {
    name: 'signalling',
    collect: () => [
      counter(
        'callreel_signalling_busy_seconds_total',
        'Time in which the main thread of the server, which does the signalling, worked.',
        eventLoopBusySeconds(),
      ),
      gauge(
        'callreel_database_queries_waiting',
        'Queries that wait for a connection of the database.',
        waitingQueries(),
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

/**
 * Of the disks, of UDP, and of the server's process.
 * @param receiveBufferErrors for tests
 */
export function machineMetrics(
  watch: Pick<NodeWatch, 'disks'>,
  clock: Clock,
  receiveBufferErrors = udpReceiveBufferErrors,
): MetricSource {
  const startedSeconds = clock.unixMs() / 1000 - process.uptime();
  return {
    name: 'machine',
    collect() {
      const ofDisks = (pick: (space: DiskSpace) => number) =>
        watch.disks.flatMap(({ place, space }) =>
          space ? [{ labels: { of: place }, value: pick(space) }] : [],
        );
      const { user, system } = process.cpuUsage();
      const unreceived = receiveBufferErrors();
      return [
        ...(unreceived === undefined
          ? []
          : [
              counter(
                'callreel_udp_receive_buffer_errors_total',
                'Datagrams that the system dropped because nobody took them in time, of all programs in this network.',
                unreceived,
              ),
            ]),
        gauge(
          'callreel_disk_up',
          'Whether the disk of a directory answers.',
          watch.disks.map(({ place, space }) => ({ labels: { of: place }, value: space ? 1 : 0 })),
        ),
        gauge(
          'callreel_disk_free_bytes',
          'Free on the disk of a directory.',
          ofDisks(({ freeBytes }) => freeBytes),
        ),
        gauge(
          'callreel_disk_bytes',
          'Size of the disk of a directory.',
          ofDisks(({ bytes }) => bytes),
        ),
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
