import { type Clock, within } from '../clock.ts';
import type { WorkerStats } from '../media/control.ts';
import { latenessBoundsUs } from '../rtp/tick-histogram.ts';
import { counter, gauge, type MetricSample, type MetricSource } from './metrics-text.ts';

/** A media worker, as far as it is asked here. */
interface AskedWorker {
  readonly workerId: string;
  stats(): Promise<WorkerStats>;
}

/** Within the time that a source has for all of its figures. */
const answerMs = 2000;

interface AskedPool {
  readonly workers: readonly AskedWorker[];
  readonly wanted: number;
}

/** @param pool a worker that does not answer in time takes along its own figures alone */
export function mediaMetrics(pool: AskedPool, clock: Clock): MetricSource {
  return {
    name: 'media',
    async collect() {
      const { workers } = pool;
      const asked = await Promise.all(
        workers.map(async (worker) => ({
          // `w1` of `w1-…`: what follows is another for each start.
          labels: { worker: worker.workerId.split('-')[0]! },
          // One that was just lost has nothing to tell.
          stats: await within(
            clock,
            answerMs,
            worker.stats().catch(() => undefined),
          ),
        })),
      );
      const told = asked.flatMap(({ labels, stats }) => (stats ? [{ labels, stats }] : []));
      const of = (pick: (stats: WorkerStats) => number) =>
        told.map(({ labels, stats }) => ({ labels, value: pick(stats) }));
      return [
        gauge('callreel_media_workers', 'Media workers that answer.', told.length),
        gauge('callreel_media_workers_wanted', 'Media workers that there are to be.', pool.wanted),
        counter(
          'callreel_media_cpu_seconds_total',
          'CPU time of the processes of media workers.',
          of((s) => s.cpuUs / 1e6),
        ),
        gauge(
          'callreel_media_resident_memory_bytes',
          'Resident memory of the processes of media workers.',
          of((s) => s.residentBytes),
        ),
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
        gauge(
          'callreel_media_driver_info',
          'What takes and sends the media, and why it is not the best there is, where that was not asked for; always 1.',
          told.map(({ labels, stats: { driver, driverNote = '' } }) => ({
            labels: { ...labels, driver, note: driverNote },
            value: 1,
          })),
        ),
        counter(
          'callreel_media_datagrams_dropped_total',
          'Datagrams that came and were given up: longer than one may be, or more than their port may hold.',
          of((s) => s.droppedDatagrams),
        ),
        counter(
          'callreel_media_socket_errors_total',
          'Errors of sockets for media, apart from sends.',
          of((s) => s.socketErrors),
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
          'callreel_media_send_overflows_total',
          'Those of them for which this machine had no room.',
          of((s) => s.sendOverflows),
        ),
        gauge(
          'callreel_media_sends_waiting',
          'RTP packets that the system did not take at once (driver dgram).',
          of((s) => s.waitingSends),
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
        gauge(
          'callreel_spool_unsettled_bytes',
          'What that thread has in its journal and not in the files of recordings.',
          of((s) => s.unsettledBytes),
        ),
        gauge(
          'callreel_spool_unsettled_limit_bytes',
          'With how much of that it takes no more.',
          of((s) => s.unsettledLimitBytes),
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
