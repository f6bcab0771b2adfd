import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { QualityMeter } from '../quality/quality-meter.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { Conference } from './conference.ts';
import { ConversationCloser, type EndQuality } from './conversation-closer.ts';
import type { Directory } from './directory.ts';
import type { Recording } from './recording.ts';

const spool = new TestSpool();
after(() => spool.remove());

function recorded(recordingId: string): void {
  const { records } = testStream(new Int16Array(8000));
  const talks = [{ trackId: 'a', records, leaveUs: 1_000_000 }];
  new TestGrowingRecording(talks, [], { spool, recordingId }).end(1_000_000);
}

function closerOf(directory: Partial<Directory>, quality: EndQuality): ConversationCloser {
  return new ConversationCloser({
    clock: new FakeClock(),
    log: silentLogger,
    directory: directory as Directory,
    spoolDir: spool.spoolDirectory,
    masterKey: spool.masterKey,
    quality,
  });
}

test('a conversation is ended when its recordings are measured, or have taken too long', async () => {
  recorded('A');
  const measured = Promise.withResolvers<void>();
  const asked: string[] = [];
  let ended = false;
  const conversationEnded = async () => {
    ended = true;
  };
  const closer = closerOf(
    { conversationEnded },
    {
      take: () => undefined,
      whenMeasured: (recordingId) => {
        asked.push(recordingId);
        return measured.promise;
      },
    },
  );
  const recording = { recordingId: 'A', whenEnded: Promise.resolve('stopped') };
  const closing = closer.close({
    ...{ conversationId: 'room', recordings: [recording], eventCallbacks: [] },
    worker: { send: async () => undefined },
  } as unknown as Conference);
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  assert.deepEqual([asked, ended], [['A'], false]);
  measured.resolve();
  await closing;
  assert.equal(ended, true);
});

const figures = { mix: new QualityMeter(8000).figures(), channels: {} };

/** Where everything is known at once. */
const settled: EndQuality = {
  take: ({ tracks }) => (tracks[0]?.trackId === 'a' ? figures : undefined),
  whenMeasured: async () => {},
};

function ending(recordingId: string, wasWritten: () => void): Recording {
  return {
    ...{ recordingId, conversationId: 'room', endReason: 'stopped', whenEnded: Promise.resolve('stopped') },
    markWritten: wasWritten,
  } as unknown as Recording;
}

test('figures that are known when a recording ends are written with its end', async () => {
  recorded('B');
  const written: unknown[] = [];
  const recordingEnded: Directory['recordingEnded'] = async ({ recordingId }, measured) =>
    void written.push(recordingId, measured);
  const closer = closerOf({ recordingEnded }, settled);
  closer.follow(ending('B', () => written.push('told')));
  await closer.whenIdle();
  assert.deepEqual(written, ['B', figures, 'told']);
});

test('where its conversation ends with it, its end is written with that, and nothing twice', async () => {
  recorded('C');
  const written: unknown[] = [];
  const conversationEnded: Directory['conversationEnded'] = async ({ recordings, measured }) =>
    void written.push(
      recordings.map(({ recordingId }) => recordingId),
      measured,
    );
  const closer = closerOf({ conversationEnded }, settled);
  const recording = ending('C', () => written.push('told'));
  closer.follow(recording);
  await closer.close({
    ...{ conversationId: 'room', recordings: [recording], eventCallbacks: [] },
    worker: { send: async () => undefined },
  } as unknown as Conference);
  await closer.whenIdle();
  assert.deepEqual(written, [['C'], new Map([['C', figures]]), 'told']);
});
