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

test('figures that are known when a recording ends are written with its end', async () => {
  recorded('B');
  const measured = { mix: new QualityMeter(8000).figures(), channels: {} };
  const written: unknown[] = [];
  const closer = closerOf(
    { recordingEnded: async ({ recordingId }, figures) => void written.push(recordingId, figures) },
    {
      take: ({ tracks }) => (tracks[0]?.trackId === 'a' ? measured : undefined),
      whenMeasured: async () => {},
    },
  );
  const ids = { recordingId: 'B', conversationId: 'room' };
  closer.follow({
    ...ids,
    whenEnded: Promise.resolve('stopped'),
    markWritten: () => {},
  } as unknown as Recording);
  await closer.whenIdle();
  assert.deepEqual(written, ['B', measured]);
});
