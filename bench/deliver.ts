import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { type BenchStore, LocalStore } from './object-store.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';
import { TalkingCalls } from './talking-calls.ts';

interface Case {
  minutes: number;
  format: 'wav' | 'mp3';
}

interface Delivered {
  /** From the BYE that ends the recorded call to the object in the storage. */
  visibleMs: number;
  /** ... to the signed event that says so. */
  toldMs: number;
  bytes: number;
}

interface RecordingBody {
  recording_id: string;
  state: string;
  recorded_ms: number;
  url: string;
}

interface DeliveryEvent {
  type: string;
  recording_id: string;
  state: string;
  destination: string;
  error: unknown;
}

const usage = `  --minutes 10,120     lengths of the calls
  --formats mp3,wav
  --repetitions 5      of each
  --storage local      or swift (OpenStack Swift, on Debian as root)`;
const lastSecondsMs = 3000;
const eventTimeoutMs = 300_000;
/** Of recorded time: the phones speak by their own timers before and behind the time that is driven. */
const lengthToleranceMs = 1500;

/**
 * Last BYE to object in S3: a call of two phones is recorded with a destination, by the recorder of a running server
 * whose hours pass in seconds; its last seconds are real, and so is the BYE.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10,120' },
      formats: { type: 'string', default: 'mp3,wav' },
      repetitions: { type: 'string', default: '5' },
      storage: { type: 'string', default: 'local' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- deliver\n${usage}`);
  const cases = values.minutes.split(',').flatMap((minutes) =>
    values.formats.split(',').map((format): Case => {
      assert.ok(format === 'mp3' || format === 'wav', `no such format: ${format}`);
      return { minutes: Number(minutes), format };
    }),
  );
  const repetitions = Number(values.repetitions);
  await using store = await openStore(values.storage);
  await using calls = await TalkingCalls.open({ CALLREEL_DELIVERY_ENDPOINTS_S3: store.endpoint.href });
  calls.app.on('/status', () => ({}));
  const results: (Case & { runs: Delivered[] })[] = [];
  for (const each of cases) {
    const runs: Delivered[] = [];
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      const done = await deliver(calls, store, each, repetition);
      process.stderr.write(
        `${each.minutes} min ${each.format} ${repetition}/${repetitions}: ${done.visibleMs.toFixed(0)} ms\n`,
      );
      runs.push(done);
    }
    results.push({ ...each, runs });
  }
  return report(results, store.name, repetitions);
}

async function openStore(name: string): Promise<BenchStore> {
  if (name === 'local') return await LocalStore.open();
  assert.equal(name, 'swift', `no such storage: ${name}`);
  return await (await import('./swift-store.ts')).SwiftStore.open();
}

/** One call, from its first word to its object. @throws AssertionError where the object is not the recording */
async function deliver(
  calls: TalkingCalls,
  store: BenchStore,
  { minutes, format }: Case,
  repetition: number,
): Promise<Delivered> {
  const key = `${minutes}-minutes-${repetition}.${format}`;
  const { parties } = await calls.connect(key, 2);
  const [recorded, other] = parties;
  const { recording_id: recordingId } = await calls.api<RecordingBody>(
    'POST',
    `/v1/connections/${recorded!.connectionId}/recordings`,
    {
      format,
      status_url: calls.app.url('/status'),
      destination: { url: `s3://${store.bucket}/${key}`, credentials: store.credentials },
    },
  );
  const beganUs = systemClock.monotonicUs();
  await calls.forward(minutes * 60_000);
  await store.quiet(lastSecondsMs);
  await other!.call.hangUp();
  const visible = store.visible(key);
  const byeUs = systemClock.monotonicUs();
  await recorded!.call.hangUp();
  const { atUs, bytes } = await Promise.race([visible, refused(calls, recordingId)]);
  const event = await calls.app.waitFor<DeliveryEvent>(
    '/status',
    ({ type, recording_id }) => type === 'recording.delivery' && recording_id === recordingId,
    eventTimeoutMs,
  );
  const { state, destination, error } = event.body as DeliveryEvent;
  assert.deepEqual(
    { state, destination, error },
    {
      ...{ state: 'delivered', destination: `s3://${store.bucket}/${key}`, error: null },
    },
  );
  await verify(calls, store, {
    recordingId,
    key,
    bytes,
    lengthMs: minutes * 60_000,
    realMs: (byeUs - beganUs) / 1000,
  });
  return { visibleMs: (atUs - byeUs) / 1000, toldMs: (event.receivedUs - byeUs) / 1000, bytes };
}

/** Never, unless the storage refuses the file. @throws Error with what it said */
async function refused({ app }: TalkingCalls, recordingId: string): Promise<never> {
  const { body } = await app.waitFor<DeliveryEvent>(
    '/status',
    ({ recording_id, state }) => recording_id === recordingId && (state === 'failing' || state === 'error'),
    eventTimeoutMs,
  );
  throw new Error(JSON.stringify(body));
}

/** The object is as long as the call, and byte for byte what the recording's link gives. */
async function verify(
  calls: TalkingCalls,
  store: BenchStore,
  wanted: { recordingId: string; key: string; bytes: number; lengthMs: number; realMs: number },
): Promise<void> {
  const recording = await calls.api<RecordingBody>('GET', `/v1/recordings/${wanted.recordingId}`);
  assert.equal(recording.state, 'ended');
  // While time is driven some of it passes by itself.
  const extraMs = recording.recorded_ms - wanted.lengthMs;
  assert.ok(
    extraMs > -lengthToleranceMs && extraMs < wanted.realMs + lengthToleranceMs,
    `${extraMs} ms more`,
  );
  const content = await store.read(wanted.key);
  assert.equal(content.length, wanted.bytes);
  const linked = await fetch(recording.url);
  assert.equal(linked.status, 200);
  assert.equal(
    digest(content),
    digest(Buffer.from(await linked.arrayBuffer())),
    'the object is another file',
  );
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function report(results: readonly (Case & { runs: Delivered[] })[], storage: string, repetitions: number) {
  const summary = results.map(({ minutes, format, runs }) => ({
    ...{ minutes, format },
    ...timesOf(runs),
    bytes: runs[0]?.bytes ?? 0,
  }));
  process.stdout.write(`Last BYE -> object visible (${storage} S3), ${repetitions} calls each\n`);
  process.stdout.write(
    `${formatTable(
      ['minutes', 'format', 'bytes', 'p50 ms', 'p99 ms', 'told p50 ms'],
      summary.map((row) => [row.minutes, row.format, row.bytes, row.p50Ms, row.p99Ms, row.toldP50Ms]),
    )}\n`,
  );
  const all = results.flatMap(({ runs }) => runs);
  const bytes = all.reduce((sum, run) => sum + run.bytes, 0);
  const { p50Ms, p99Ms } = timesOf(all);
  return { p50Ms, p99Ms, bytes, storage, repetitions, cases: summary };
}

function timesOf(runs: readonly Delivered[]) {
  const visible = runs.map(({ visibleMs }) => visibleMs);
  return {
    p50Ms: Math.round(percentile(visible, 50)),
    p99Ms: Math.round(percentile(visible, 99)),
    toldP50Ms: Math.round(
      percentile(
        runs.map(({ toldMs }) => toldMs),
        50,
      ),
    ),
  };
}
