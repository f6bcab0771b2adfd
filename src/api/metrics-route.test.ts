import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { insertEvent } from '../database/events.ts';
import { startTemporaryDatabase } from '../database/temporary-database.ts';
import { changeTranscript, insertTranscript } from '../database/transcripts.ts';
import { DeliveryRows } from '../delivery/delivery-rows.ts';
import { accountId, endOf, node, startRecording } from '../delivery/test-deliverer.ts';
import { silentLogger } from '../logger.ts';
import { idleStats } from '../media/test-worker-stats.ts';
import { createHttpServer } from './http-server.ts';
import { mediaMetrics } from './media-metrics.ts';
import {
  admissionMetrics,
  backlogMetrics,
  callMetrics,
  machineMetrics,
  signallingMetrics,
} from './metric-sources.ts';
import { metricsRoute } from './metrics-route.ts';
import type { MetricSource } from './metrics-text.ts';

async function scraped(clock: FakeClock, metricSources: MetricSource[], whileAsked = async () => {}) {
  const app = createHttpServer(silentLogger, clock);
  metricsRoute(app, { clock, log: silentLogger, metricSources });
  const [answer] = await Promise.all([app.inject('/metrics'), whileAsked()]);
  await app.close();
  const lines = answer.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    type: answer.headers['content-type'],
    values: new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    ),
  };
}

test('calls, media and the machine; a worker that is gone is left out', async () => {
  await setImmediate();
  const clock = new FakeClock();
  const latenessCounts = idleStats.latenessCounts.with(0, 900).with(1, 90).with(-1, 10);
  const stats = {
    ...idleStats,
    ...{
      openPorts: 4,
      recordings: 1,
      lateTicks: 3,
      maxLatenessUs: 2500,
      latenessCounts,
      latenessSumUs: 10.5e6,
    },
    ...{ ringWaitingBytes: 512, ringBytes: 1024, unsettledBytes: 256, unsettledLimitBytes: 2048 },
    ...{ failedSends: 5, sendOverflows: 4, waitingSends: 8, droppedDatagrams: 9, socketErrors: 10 },
    ...{ driver: 'dgram' as const, driverNote: 'it says why' },
    ...{ cpuUs: 1_500_000, residentBytes: 3e8 },
  };
  const workers = [
    { workerId: 'w1-0123', stats: async () => stats },
    { workerId: 'w2-4567', stats: async () => Promise.reject(new Error('gone')) },
  ];
  const disks = [
    { place: 'data' as const, space: { freeBytes: 10, bytes: 100 } },
    { place: 'files' as const, space: undefined },
  ];
  const { type, values } = await scraped(clock, [
    callMetrics({ counts: { calls: 2, conferences: 1, unfinishedConversations: 3 } }),
    mediaMetrics({ workers, wanted: 2 }, clock),
    admissionMetrics({ shortage: 'disk', refusals: { calls: 7 } }),
    signallingMetrics(() => 6),
    machineMetrics({ disks }, clock, () => 12),
  ]);
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
  for (const [name, value] of Object.entries({
    'callreel_metrics_up{of="media"}': 1,
    callreel_calls: 2,
    callreel_conversations_unfinished: 3,
    callreel_media_workers: 1,
    callreel_media_workers_wanted: 2,
    'callreel_media_driver_info{worker="w1",driver="dgram",note="it says why"}': 1,
    'callreel_media_datagrams_dropped_total{worker="w1"}': 9,
    'callreel_media_socket_errors_total{worker="w1"}': 10,
    callreel_udp_receive_buffer_errors_total: 12,
    'callreel_media_cpu_seconds_total{worker="w1"}': 1.5,
    'callreel_media_resident_memory_bytes{worker="w1"}': 3e8,
    'callreel_recordings{worker="w1"}': 1,
    'callreel_media_ticks_late_total{worker="w1"}': 3,
    'callreel_media_lateness_max_seconds{worker="w1"}': 0.0025,
    'callreel_media_sends_failed_total{worker="w1"}': 5,
    'callreel_media_send_overflows_total{worker="w1"}': 4,
    'callreel_media_sends_waiting{worker="w1"}': 8,
    'callreel_spool_waiting_bytes{worker="w1"}': 512,
    'callreel_spool_unsettled_bytes{worker="w1"}': 256,
    'callreel_spool_unsettled_limit_bytes{worker="w1"}': 2048,
    'callreel_media_tick_lateness_seconds_bucket{worker="w1",le="0.00005"}': 900,
    'callreel_media_tick_lateness_seconds_bucket{worker="w1",le="1"}': 990,
    'callreel_media_tick_lateness_seconds_bucket{worker="w1",le="+Inf"}': 1000,
    'callreel_media_tick_lateness_seconds_sum{worker="w1"}': 10.5,
    'callreel_media_tick_lateness_seconds_count{worker="w1"}': 1000,
    'callreel_admission_shortage{reason="disk"}': 1,
    'callreel_admission_shortage{reason="late"}': 0,
    'callreel_admission_refused_total{reason="calls"}': 7,
    callreel_database_queries_waiting: 6,
    'callreel_disk_up{of="data"}': 1,
    'callreel_disk_free_bytes{of="data"}': 10,
    'callreel_disk_bytes{of="data"}': 100,
    'callreel_disk_up{of="files"}': 0,
  }))
    assert.equal(values.get(name), value, name);
  assert.equal(values.has('callreel_disk_free_bytes{of="files"}'), false);
  for (const name of [
    'callreel_signalling_busy_seconds_total',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
  ])
    assert.ok(values.get(name)! > 0, name);
  assert.equal(
    [...values.keys()].some((name) => name.includes('w2')),
    false,
  );
});

test('workers that hang are none that answer, and the others have their figures', async () => {
  const clock = new FakeClock();
  const hung = { workerId: 'w1-0123', stats: () => new Promise<never>(() => undefined) };
  const well = { workerId: 'w2-4567', stats: async () => idleStats };
  const passed = async () => {
    while (clock.pendingTimers === 0) await setImmediate();
    clock.advanceMs(2000);
  };
  const one = await scraped(clock, [mediaMetrics({ workers: [hung, well], wanted: 2 }, clock)], passed);
  assert.equal(one.values.get('callreel_metrics_up{of="media"}'), 1);
  assert.equal(one.values.get('callreel_media_workers'), 1);
  assert.equal(one.values.get('callreel_recordings{worker="w2"}'), 0);
  const none = await scraped(clock, [mediaMetrics({ workers: [hung], wanted: 1 }, clock)], passed);
  assert.equal(none.values.get('callreel_media_workers'), 0);
  assert.equal(clock.pendingTimers, 0);
});

test('a source that fails or is late takes along its own figures, and no others', async () => {
  const clock = new FakeClock();
  const { values } = await scraped(
    clock,
    [
      { name: 'stalled', collect: () => new Promise(() => undefined) },
      { name: 'broken', collect: async () => Promise.reject(new Error('no database')) },
      callMetrics({ counts: { calls: 1, conferences: 0, unfinishedConversations: 0 } }),
    ],
    async () => {
      while (clock.pendingTimers === 0) await setImmediate();
      clock.advanceMs(3000);
    },
  );
  assert.deepEqual(
    ['stalled', 'broken', 'calls'].map((name) => values.get(`callreel_metrics_up{of="${name}"}`)),
    [0, 0, 1],
  );
  assert.equal(values.get('callreel_calls'), 1);
  assert.equal(clock.pendingTimers, 0);
});

test('what waits, for how long, and what was given up', async () => {
  const database = await startTemporaryDatabase();
  try {
    const { db } = database;
    const clock = new FakeClock();
    const source = backlogMetrics(db, node, clock);
    const before = await scraped(clock, [source]);
    for (const kind of ['transcripts', 'transcript_files', 'deliveries', 'events'])
      assert.equal(before.values.get(`callreel_${kind}_oldest_seconds`), 0, kind);

    const rows = new DeliveryRows(node, clock);
    await endOf(db, rows, await startRecording(db, rows, { url: 's3://bucket/one.wav' }));
    await startRecording(db, rows, { url: 's3://bucket/goes-on.wav' });
    await startRecording(db, rows, { url: 'ftp://unreadable' });
    const queuedAt = new Date(clock.unixMs());
    for (const [recordingId, state, transcript, ofNode = node] of [
      ['a', 'waiting', null],
      ['b', 'failing', null],
      ['c', 'waiting', {}],
      ['d', 'dead', null],
      ['e', 'done', {}],
      ['f', 'waiting', null, 'another'],
    ] as const) {
      const ids = { recordingId, conversationId: 'c', accountId, node: ofNode };
      await insertTranscript(db, { ...ids, locale: 'en-US', createdAt: queuedAt });
      await changeTranscript(db, recordingId, { state, transcript, queuedAt });
    }
    const ids = { eventId: 'e1', accountId, conversationId: 'c' };
    await insertEvent(db, {
      ...ids,
      type: 't',
      payload: {},
      createdAt: queuedAt,
      callbackUrl: 'http://receiver/',
    });
    clock.advanceMs(90_000);
    const { values } = await scraped(clock, [source]);
    for (const [name, value] of Object.entries({
      'callreel_transcripts{state="waiting"}': 1,
      'callreel_transcripts{state="failing"}': 1,
      'callreel_transcripts{state="dead"}': 1,
      callreel_transcripts_oldest_seconds: 90,
      'callreel_transcript_files{state="waiting"}': 1,
      callreel_transcript_files_oldest_seconds: 90,
      'callreel_transcripts{state="running"}': 0,
      'callreel_deliveries{state="waiting"}': 1,
      'callreel_deliveries{state="dead"}': 1,
      callreel_deliveries_oldest_seconds: 90,
      'callreel_events{state="pending"}': 1,
      'callreel_events{state="dead"}': 0,
      callreel_events_oldest_seconds: 90,
    }))
      assert.equal(values.get(name), value, name);
    assert.equal(values.has('callreel_transcripts{state="done"}'), false);
  } finally {
    await database.close();
  }
});
