import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { EndReason } from '../spool/records.ts';
import type { FileFailure, FileOrder, FileStep } from '../worker/file-protocol.ts';
import type { Recording } from './recording.ts';
import { type FileThread, fileStepMs, RecordingFiles } from './recording-files.ts';

/** Says what it was asked, and fails as it is told. */
class ScriptedThread implements FileThread {
  readonly asked: string[] = [];
  failures: FileFailure[] = [];
  /** Of each recording. */
  channels = 2;
  completeFailure: CallreelError | undefined;
  stepping: Promise<void> = Promise.resolve();

  async follow({ recordingId }: FileOrder): Promise<void> {
    this.asked.push(`follow ${recordingId}`);
  }

  async step(recordingIds: string[]): Promise<FileStep> {
    this.asked.push(`step ${recordingIds.join(' ')}`);
    await this.stepping;
    return { failures: this.failures.splice(0), channels: recordingIds.map(() => this.channels) };
  }

  async complete({ recordingId, path }: FileOrder): Promise<void> {
    this.asked.push(`complete ${recordingId}`);
    if (this.completeFailure) throw this.completeFailure;
    writeFileSync(path, 'whole');
  }

  async abandon(recordingId: string): Promise<void> {
    this.asked.push(`abandon ${recordingId}`);
  }
}

const diskFull = () => new CallreelError('FILE_UNUSABLE', 'cannot write the audio file (ENOSPC)');
let directory: string;
let clock: FakeClock;
let thread: ScriptedThread;
let files: RecordingFiles;
let written: unknown[];
let isLost: boolean;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'callreel-files-'));
  clock = new FakeClock();
  thread = new ScriptedThread();
  written = [];
  isLost = false;
  files = new RecordingFiles({
    clock,
    log: silentLogger,
    // Only `finishPrevious` asks it: test/e2e/recording-files.test.ts.
    db: undefined as unknown as Db,
    node: 'node',
    thread,
    settle: async (conversationIds) => {
      thread.asked.push(`settle ${[...conversationIds].join(' ')}`);
      return isLost ? conversationIds : new Set();
    },
    directory: {
      recordingFile: async (_, recordingId, file) =>
        void written.push('path' in file ? [recordingId, file.path] : [recordingId, file.failure.code]),
    },
  });
});
afterEach(() => {
  files.close();
  assert.equal(clock.pendingTimers, 0);
  rmSync(directory, { recursive: true });
});

const orderOf = (recordingId: string): FileOrder => ({
  ...{ conversationId: 'room', recordingId, path: join(directory, recordingId) },
  ...{ format: 'wav', stereo: false },
});

function follow(recordingId: string): (reason?: EndReason) => Promise<void> {
  const ended = Promise.withResolvers<EndReason>();
  const onRecord = Promise.withResolvers<void>();
  const recording = { recordingId, whenEnded: ended.promise, whenWritten: onRecord.promise };
  files.follow(recording as unknown as Recording, orderOf(recordingId));
  return async (reason = 'stopped') => {
    ended.resolve(reason);
    onRecord.resolve();
    await setImmediate();
  };
}

async function pass(ms: number): Promise<void> {
  clock.advanceMs(ms);
  await setImmediate();
}

test('every 200 ms all are stepped, behind one settling of their conversation; at the end each is completed', async () => {
  const end = follow('a');
  const endOther = follow('b');
  await pass(fileStepMs - 1);
  assert.deepEqual(thread.asked, ['follow a', 'follow b']);
  await pass(1);
  await pass(fileStepMs);
  assert.deepEqual(thread.asked.slice(2), ['settle room', 'step a b', 'settle room', 'step a b']);
  thread.asked.length = 0;
  await end();
  assert.deepEqual(written, [['a', join(directory, 'a')]]);
  await pass(fileStepMs);
  assert.deepEqual(thread.asked, ['complete a', 'settle room', 'step b']);
  await endOther();
  await files.whenIdle();
  await pass(fileStepMs);
  assert.equal(clock.pendingTimers, 0);
});

test('many channels are looked at less often, by turns, and of many more at least every four seconds', async () => {
  const looksIn4Seconds = async (): Promise<number> => {
    thread.asked.length = 0;
    for (let step = 0; step < 20; step++) await pass(fileStepMs);
    return (
      thread.asked
        .filter((each) => each.startsWith('step'))
        .join(' ')
        .split('a').length - 1
    );
  };
  thread.channels = 10;
  const ends = [follow('a')];
  assert.equal(await looksIn4Seconds(), 20);
  thread.channels = 100;
  await looksIn4Seconds();
  assert.equal(await looksIn4Seconds(), 2);
  thread.channels = 10;
  await looksIn4Seconds();
  for (const other of 'bcdefghij') ends.push(follow(other));
  await looksIn4Seconds();
  assert.equal(await looksIn4Seconds(), 2);
  const steps = thread.asked.filter((each) => each.startsWith('step'));
  assert.ok(steps.length <= 4, 'those that are due soon are looked at together');
  thread.channels = 100;
  await looksIn4Seconds();
  assert.equal(await looksIn4Seconds(), 1);
  for (const end of ends) await end();
});

test('what can not be settled is not stepped, and made whole at its end', async () => {
  const end = follow('a');
  await pass(fileStepMs);
  isLost = true;
  thread.asked.length = 0;
  await pass(fileStepMs);
  assert.deepEqual(thread.asked, ['settle room']);
  await end('error');
  await files.whenIdle();
  assert.deepEqual(written, [['a', join(directory, 'a')]]);
  await pass(fileStepMs);
  assert.equal(clock.pendingTimers, 0);
});

test('a thread that is behind is not asked twice', async () => {
  const end = follow('a');
  const stepped = Promise.withResolvers<void>();
  thread.stepping = stepped.promise;
  for (let step = 0; step < 5; step++) await pass(fileStepMs);
  assert.deepEqual(thread.asked, ['follow a', 'settle room', 'step a']);
  stepped.resolve();
  await setImmediate();
  await pass(fileStepMs);
  assert.equal(thread.asked.length, 5);
  await end();
});

test('a disk that fails is on record at once, and tried again at the end, ever more rarely, until it is well', async () => {
  const end = follow('a');
  thread.failures = [{ recordingId: 'a', error: diskFull().toJSON() }];
  await pass(fileStepMs);
  assert.deepEqual(written, [['a', 'FILE_UNUSABLE']]);
  thread.completeFailure = diskFull();
  await end();
  const tries = () => thread.asked.filter((each) => each === 'complete a').length;
  const counts: number[] = [];
  for (let second = 0; second < 8; second++) {
    counts.push(tries());
    await pass(1000);
  }
  assert.deepEqual(counts, [1, 2, 2, 3, 3, 3, 3, 4]);
  thread.completeFailure = undefined;
  await pass(8000);
  assert.deepEqual(written.at(-1), ['a', join(directory, 'a')]);
});

test('a spool that is damaged is not tried again', async () => {
  thread.completeFailure = new CallreelError('SPOOL_CORRUPT', 'a segment was cut off');
  await follow('a')();
  assert.deepEqual(written, [['a', 'SPOOL_CORRUPT']]);
  await pass(fileStepMs);
  assert.equal(clock.pendingTimers, 0);
});

test('what is erased, or whose consent is withdrawn, has no file, no try and no row', async () => {
  thread.completeFailure = diskFull();
  await follow('a')();
  writeFileSync(join(directory, 'a'), 'the beginning');
  writeFileSync(join(directory, 'a.part'), 'more');
  await files.erase({ recordingId: 'a', fileOrder: orderOf('a') });
  assert.deepEqual([existsSync(join(directory, 'a')), existsSync(join(directory, 'a.part'))], [false, false]);
  await pass(fileStepMs);
  assert.equal(clock.pendingTimers, 0, 'it is not tried again');
  thread.completeFailure = undefined;
  writeFileSync(join(directory, 'b'), 'the beginning');
  await follow('b')('consent_withdrawn');
  assert.equal(existsSync(join(directory, 'b')), false);
  assert.deepEqual(written, [['a', 'FILE_UNUSABLE']]);
});
