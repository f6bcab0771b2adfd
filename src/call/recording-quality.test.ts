import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { figuresOfNothing, QualityMeter } from '../quality/quality-meter.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { EndReason } from '../spool/records.ts';
import type { MeasuredRecording, QualityOrder, SettledFigures } from '../worker/quality-protocol.ts';
import type { Recording } from './recording.ts';
import { type QualityThread, RecordingQuality } from './recording-quality.ts';

const measured: MeasuredRecording = { mix: new QualityMeter(8000).figures(), channels: {} };

/** Says what it was asked, and measures when it is told. */
class ScriptedThread implements QualityThread {
  readonly asked: string[] = [];
  measuring: Promise<MeasuredRecording> = Promise.resolve(measured);
  settled: SettledFigures = {};

  async follow({ recordingId }: QualityOrder): Promise<void> {
    this.asked.push(`follow ${recordingId}`);
  }

  async step(recordingIds: string[]): Promise<SettledFigures> {
    this.asked.push(`step ${recordingIds.join(' ')}`);
    return this.settled;
  }

  async measure({ recordingId }: QualityOrder): Promise<MeasuredRecording> {
    this.asked.push(`measure ${recordingId}`);
    return await this.measuring;
  }

  async drop(recordingId: string): Promise<void> {
    this.asked.push(`drop ${recordingId}`);
  }
}

let clock: FakeClock;
let thread: ScriptedThread;
let quality: RecordingQuality;
let written: string[];
let warned: string[];

beforeEach(() => {
  clock = new FakeClock();
  thread = new ScriptedThread();
  written = [];
  warned = [];
  quality = new RecordingQuality({
    clock,
    log: Object.assign(Object.create(silentLogger), {
      warn: (_fields: object, message: string) => void warned.push(message),
    }),
    // Only `finishPrevious` asks it.
    db: undefined as unknown as Db,
    node: 'node',
    thread,
    settle: async (conversationIds) => {
      thread.asked.push(`settle ${[...conversationIds].join(' ')}`);
      return new Set();
    },
    directory: { quality: { measured: async ({ recordingId }) => void written.push(recordingId) } },
  });
});
afterEach(() => quality.close());

function follow(recordingId: string, conversationId = 'room') {
  const ended = Promise.withResolvers<EndReason>();
  const onRecord = Promise.withResolvers<void>();
  const recording = { recordingId, conversationId, whenEnded: ended.promise, whenWritten: onRecord.promise };
  quality.follow(recording as unknown as Recording);
  return { end: ended.resolve, write: onRecord.resolve };
}

async function pass(ms: number): Promise<void> {
  clock.advanceMs(ms);
  await setImmediate();
}

test('behind every excerpt, once more where it is not settled, behind a settling, and at no other time; at the end it is measured at once, and written behind its rows', async () => {
  const a = follow('a');
  const b = follow('b');
  await pass(11_499);
  assert.deepEqual(thread.asked, ['follow a', 'follow b']);
  await pass(1);
  const step = ['settle room', 'step a b'];
  assert.deepEqual(thread.asked.slice(2), step);
  await pass(9999);
  assert.deepEqual(thread.asked.slice(2), step);
  await pass(1);
  assert.deepEqual(thread.asked.slice(2), [...step, ...step]);
  await pass(10_000);
  assert.deepEqual(thread.asked.slice(2), [...step, ...step]);
  a.end('stopped');
  await setImmediate();
  assert.equal(thread.asked.at(-1), 'measure a');
  assert.deepEqual(written, []);
  a.write();
  await quality.whenMeasured('a');
  assert.deepEqual(written, ['a']);
  thread.settled = { b: measured };
  const steps = thread.asked.length;
  await pass(24_999);
  assert.equal(thread.asked.length, steps);
  await pass(1);
  assert.deepEqual(thread.asked.slice(steps), ['settle room', 'step b']);
  // Where all is settled half as many excerpts are due.
  await pass(134_999);
  assert.equal(thread.asked.length, steps + 2);
  await pass(1);
  assert.deepEqual(thread.asked.slice(steps + 2), ['settle room', 'step b']);
  await pass(119_999);
  assert.equal(thread.asked.length, steps + 4);
  b.end('call_ended');
  b.write();
  await quality.whenIdle();
  assert.deepEqual(written, ['a', 'b']);
  await pass(20_000);
  assert.equal(clock.pendingTimers, 0);
});

test('who begins while others are looked at much later is looked at in time', async () => {
  const first = follow('first');
  thread.settled = { first: measured };
  await pass(11_500);
  await pass(1000);
  const steps = thread.asked.length;
  const second = follow('second');
  const third = follow('third');
  first.end('call_ended');
  await pass(11_500);
  assert.deepEqual(
    thread.asked.slice(steps).filter((asked) => asked.startsWith('step')),
    ['step second third'],
  );
  const ends = [first, second, third];
  for (const each of ends) each.end('call_ended');
  for (const each of ends) each.write();
  await quality.whenIdle();
});

test('nobody waits long for figures; they come on record all the same', async () => {
  const slow = Promise.withResolvers<MeasuredRecording>();
  thread.measuring = slow.promise;
  const { end, write } = follow('a');
  end('stopped');
  write();
  let waited = false;
  const waiting = quality.whenMeasured('a').then(() => {
    waited = true;
  });
  await pass(149);
  assert.equal(waited, false);
  await pass(1);
  await waiting;
  assert.deepEqual(written, []);
  slow.resolve(measured);
  await quality.whenIdle();
  assert.deepEqual(written, ['a']);
});

test('what is not to be measured, or can not be, has no figures, and nobody waits for it', async () => {
  const withdrawn = follow('a');
  withdrawn.end('consent_withdrawn');
  await setImmediate();
  assert.equal(thread.asked.at(-1), 'drop a');
  thread.measuring = Promise.reject(new CallreelError('SPOOL_CORRUPT', 'damaged'));
  const damaged = follow('b');
  damaged.end('stopped');
  await quality.whenMeasured('b');
  await quality.whenMeasured('unknown');
  await quality.whenIdle();
  assert.deepEqual(written, []);
});

test('many are stepped in parts, so that the end of one is measured between them', async () => {
  for (let index = 0; index < 20; index += 1) follow(`${index}`, `room ${index}`);
  await pass(11_500);
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  const steps = thread.asked.filter((asked) => asked.startsWith('step'));
  assert.deepEqual(
    steps.map((step) => step.split(' ').length - 1),
    Array.from({ length: 10 }, () => 2),
  );
});

function summary(recordingId: string, rest: Partial<RecordingSummary> = {}): RecordingSummary {
  const tracks = [{ trackId: 'ann', packets: 9, recordedSamples: 320_000 }];
  const span = { rateHz: 8000, startSample: 0, endSample: 320_000, recordedSamples: 320_000 };
  return { ...span, recordingId, reason: 'stopped', isTrimmed: false, tracks, ...rest } as RecordingSummary;
}

test('fifty that end at once have their figures with their ends, and nobody waits for the thread', async () => {
  const settled: MeasuredRecording = { ...measured, channels: { ann: measured.mix } };
  const ids = Array.from({ length: 50 }, (_, index) => `${index}`);
  thread.settled = Object.fromEntries(ids.map((id) => [id, settled]));
  thread.measuring = new Promise(() => {});
  const all = ids.map((id) => follow(id, `room ${id}`));
  await pass(61_500);
  for (let turn = 0; turn < 200; turn += 1) await setImmediate();
  await pass(9999);
  for (const [index, id] of ids.entries()) {
    assert.deepEqual(quality.take(summary(id)), settled);
    all[index]!.end('conversation_ended');
    await quality.whenMeasured(id);
  }
  await quality.whenIdle();
  assert.deepEqual(written, []);
  assert.deepEqual(
    thread.asked.filter((asked) => /measure|drop/.test(asked)),
    ids.map((id) => `drop ${id}`),
  );
});

test('settled figures are taken of what they are whole for, once', async () => {
  const settled: MeasuredRecording = { ...measured, channels: { ann: measured.mix } };
  thread.settled = { a: settled };
  const { end } = follow('a');
  assert.equal(quality.take(summary('a')), undefined);
  await pass(11_500);
  await setImmediate();
  const bob = { trackId: 'bob', packets: 1 };
  const ann = { trackId: 'ann', packets: 9 };
  const tracksOf = (...tracks: object[]) => ({ tracks: tracks as RecordingSummary['tracks'] });
  assert.equal(quality.take(summary('a', tracksOf(ann, bob))), undefined, 'who came in the last seconds');
  assert.equal(quality.take(summary('a', { isTrimmed: true })), undefined);
  assert.equal(quality.take(summary('a', { reason: 'consent_withdrawn' })), undefined);
  assert.equal(quality.take(summary('a', { reason: 'error' })), undefined);
  assert.equal(
    quality.take(summary('a', { endSample: 160_000 })),
    undefined,
    'a short one is measured whole',
  );
  thread.settled = {};
  assert.equal(quality.take(summary('b')), undefined);
  const silent = { ...bob, packets: 0, recordedSamples: 80_000 };
  const { channels } = quality.take(summary('a', tracksOf({ ...ann, recordedSamples: 8000 }, silent)))!;
  assert.deepEqual(channels, { ...settled.channels, bob: { ...figuresOfNothing, driftPpm: null } });
  end('stopped');
  await quality.whenIdle();
  assert.equal(quality.take(summary('a')), undefined);
  assert.ok(!thread.asked.includes('measure a'));
});

test('settled figures are of all that was said, and not taken where newer ones are late, or there are none any more', async () => {
  const figures = { ...measured.mix, note: null, silenceShare: 0.25, speechSeconds: 7.5 };
  thread.settled = { a: { mix: figures, channels: { ann: { ...figures, driftPpm: 3 } } } };
  const slow = Promise.withResolvers<SettledFigures>();
  follow('a').write();
  await pass(11_500);
  await setImmediate();
  const taken = quality.take(summary('a', { recordedSamples: 400_000 }));
  assert.deepEqual(taken?.mix, { ...figures, speechSeconds: 37.5 });
  assert.deepEqual(taken.channels.ann, { ...figures, speechSeconds: 30, driftPpm: 3 });
  thread.step = () => slow.promise;
  await pass(60_000);
  await setImmediate();
  assert.ok(quality.take(summary('a')));
  await pass(15_001);
  assert.equal(quality.take(summary('a')), undefined);
  slow.resolve({ a: thread.settled.a! });
  await setImmediate();
  await setImmediate();
  assert.ok(quality.take(summary('a')));
  thread.step = async () => ({});
  await pass(105_000);
  await setImmediate();
  await setImmediate();
  assert.equal(quality.take(summary('a')), undefined);
});

test('one that is erased before it was measured is no fault; one that is gone by itself is', async () => {
  const gone = Promise.withResolvers<MeasuredRecording>();
  thread.measuring = gone.promise;
  const [erased, lost] = [follow('erased'), follow('lost')];
  for (const { end, write } of [erased, lost]) {
    write();
    end('stopped');
  }
  await setImmediate();
  quality.forget('erased');
  gone.reject(new CallreelError('NOT_FOUND', 'there is no such recording'));
  await quality.whenIdle();
  assert.deepEqual(warned, ['a recording could not be measured']);
  assert.deepEqual(written, []);
});
