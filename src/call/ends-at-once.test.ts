import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { silentLogger } from '../logger.ts';
import { testVoices } from '../quality/test-voices.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import type { EndReason } from '../spool/records.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { QualityDesk } from '../worker/quality-desk.ts';
import type { MeasuredRecording } from '../worker/quality-protocol.ts';
import type { Conference } from './conference.ts';
import { ConversationCloser } from './conversation-closer.ts';
import type { EndedConversation } from './conversation-ended.ts';
import type { Directory } from './directory.ts';
import type { Recording } from './recording.ts';
import { type QualityThread, RecordingQuality } from './recording-quality.ts';

const spool = new TestSpool({ ringBytes: 1 << 22 });
after(() => spool.remove());

const conversations = 8;
const rateHz = 8000;
const endMs = 48_000;
const stepMs = 5000;

/** Prompts one after another. */
function words(voice: number): Int16Array {
  const { prompts } = testVoices[voice]!;
  const all = Int16Array.from(prompts.flatMap((prompt) => [...prompt]));
  return Int16Array.from({ length: (endMs * rateHz) / 1000 }, (_, at) => all[at % all.length]!);
}

test('conversations that end in one instant are told of with all their figures, and nothing is measured then', async () => {
  const clock = new FakeClock();
  const { spoolDirectory: spoolDir, masterKey } = spool;
  const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
  let measuredAtEnd = 0;
  const thread: QualityThread = {
    follow: async (order) => desk.follow(order),
    step: async (recordingIds) => desk.step(recordingIds),
    measure: async (order) => {
      measuredAtEnd += 1;
      return await desk.measure(order);
    },
    drop: async (recordingId) => desk.drop(recordingId),
  };
  const streams = [0, 1].map((voice) => testStream(words(voice)).records);
  const all = Array.from({ length: conversations }, (_, index) => {
    const recordingId = (index + 1).toString(16).toUpperCase();
    const conversationId = `room${index}`;
    const talks = streams.map((records, party) => ({
      ...{ trackId: `${'ab'[party]}${index}`, records, leaveUs: endMs * 1000 },
    }));
    const growing = new TestGrowingRecording(talks, [], { spool, recordingId, conversationId });
    return { recordingId, conversationId, growing };
  });
  const told: EndedConversation[] = [];
  const directory = {
    conversationEnded: async (ended: EndedConversation) => void told.push(ended),
    quality: { measured: async () => assert.fail('figures came later') },
  } as unknown as Directory;
  const quality = new RecordingQuality({
    ...{ clock, log: silentLogger, node: 'node', thread, directory, db: undefined as unknown as Db },
    settle: async (ids) => {
      for (const { conversationId, growing } of all) if (ids.has(conversationId)) growing.settle();
      return new Set();
    },
  });
  const closer = new ConversationCloser({
    ...{ clock, log: silentLogger, directory, spoolDir, masterKey, quality },
  });
  const rooms = all.map(({ recordingId, conversationId }) => {
    const ended = Promise.withResolvers<EndReason>();
    const written = Promise.withResolvers<void>();
    const recording = {
      ...{ recordingId, conversationId, endReason: 'conversation_ended' },
      ...{ whenEnded: ended.promise, whenWritten: written.promise, markWritten: written.resolve },
    } as unknown as Recording;
    closer.follow(recording);
    quality.follow(recording);
    return { end: ended.resolve, recording };
  });
  for (let nowMs = 0; nowMs < endMs - stepMs; nowMs += stepMs) {
    for (const { growing } of all) growing.until(nowMs * 1000);
    clock.advanceMs(stepMs);
    for (let turn = 0; turn < 4 * conversations; turn += 1) await setImmediate();
  }
  for (const { growing } of all) growing.end(endMs * 1000);
  const closing = rooms.map(({ recording }) =>
    closer.close({
      ...{ conversationId: recording.conversationId, recordings: [recording], eventCallbacks: [] },
      worker: { send: async () => undefined },
    } as unknown as Conference),
  );
  for (const { end } of rooms) end('conversation_ended');
  await Promise.all(closing);
  await quality.whenIdle();
  assert.equal(told.length, conversations);
  for (const { recordings, measured } of told) assertKnown(recordings[0]!.recordingId, measured);
  assert.equal(measuredAtEnd, 0);
  quality.close();
});

function assertKnown(
  recordingId: string,
  measured: ReadonlyMap<string, MeasuredRecording> | undefined,
): void {
  const { mix, channels } = measured!.get(recordingId)!;
  assert.equal(Object.keys(channels).length, 2);
  for (const figures of [mix, ...Object.values(channels)]) {
    assert.equal(figures.note, null);
    assert.ok(figures.snrDb! > 10 && figures.rt60Seconds! < 0.6, JSON.stringify(figures));
  }
}
