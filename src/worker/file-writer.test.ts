import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { frame, testNoise, testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { FileOrder } from './file-protocol.ts';
import { FileWriter } from './file-writer.ts';

const stepUs = 200_000;
const endUs = 8_000_000;
const { records } = testStream(testNoise(390 * frame, 9000));
const talks = [{ trackId: 'a', records, leaveUs: endUs }];

let spool: TestSpool;
let directory: string;
let writer: FileWriter;
beforeEach(() => {
  spool = new TestSpool();
  directory = mkdtempSync(join(tmpdir(), 'callreel-writer-'));
  const { spoolDirectory: spoolDir, masterKey } = spool;
  writer = new FileWriter({ spoolDir, masterKey, lossConcealment: 'on' });
});
afterEach(async () => {
  await writer.close();
  spool.remove();
  rmSync(directory, { recursive: true });
});

const orderOf = (recordingId: string, name = `${recordingId}.wav`): FileOrder => ({
  ...{ conversationId: 'room', recordingId, path: join(directory, name), format: 'wav', stereo: false },
});

test('one thread writes many files along; one that could not be begun is made at its end, the same', async () => {
  const recordings = ['a', 'b'].map(
    (recordingId) => new TestGrowingRecording(talks, [], { spool, recordingId }),
  );
  writeFileSync(join(directory, 'taken.wav'), 'something');
  await writer.follow(orderOf('a'));
  await writer.follow(orderOf('b', 'taken.wav'));
  const failures: string[] = [];
  for (let timeUs = stepUs; timeUs < endUs; timeUs += stepUs) {
    for (const recording of recordings) recording.until(timeUs);
    recordings[0]!.settle();
    const step = await writer.step(['a', 'b', 'unknown']);
    for (const { recordingId, error } of step.failures) failures.push(`${recordingId} ${error.code}`);
    assert.deepEqual(step.channels, [talks.length, 0, 0]);
  }
  assert.deepEqual(failures, ['b FILE_UNUSABLE']);
  await assert.rejects(writer.complete(orderOf('b', 'taken.wav')), { code: 'CONFLICT' });
  for (const recording of recordings) recording.end(endUs);
  await writer.complete(orderOf('a'));
  await writer.complete(orderOf('b', 'taken.wav'));
  const file = readFileSync(join(directory, 'a.wav'));
  assert.equal(file.length, 80 + (endUs / 1000) * 16);
  assert.deepEqual(readFileSync(join(directory, 'taken.wav')), file);
  await writer.complete(orderOf('a'));
  assert.deepEqual(readFileSync(join(directory, 'a.wav')), file, 'again is the same');
  assert.deepEqual(readdirSync(directory).sort(), ['a.wav', 'taken.wav']);
});

test('what is abandoned is not written any more', async () => {
  const recording = new TestGrowingRecording(talks, [], { spool, recordingId: 'a' });
  recording.end(endUs);
  const completing = writer.complete(orderOf('a'));
  await Promise.all([writer.abandon('a'), assert.rejects(completing, { code: 'CONFLICT' })]);
  assert.deepEqual(readdirSync(directory), []);
});

test('a file that cannot be written says so', async () => {
  new TestGrowingRecording(talks, [], { spool, recordingId: 'a' }).end(endUs);
  mkdirSync(join(directory, 'a.wav'));
  await assert.rejects(writer.complete(orderOf('a')), { code: 'FILE_UNUSABLE' });
  assert.deepEqual(readdirSync(directory), ['a.wav']);
  await assert.rejects(writer.complete(orderOf('b')), { code: 'NOT_FOUND' });
});
