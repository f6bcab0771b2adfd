import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import type { Conference } from './conference.ts';
import { ConversationCloser } from './conversation-closer.ts';
import type { Directory } from './directory.ts';

const spool = new TestSpool();
after(() => spool.remove());

test('a conversation is ended when its recordings are measured, or have taken too long', async () => {
  const { records } = testStream(new Int16Array(8000));
  const talks = [{ trackId: 'a', records, leaveUs: 1_000_000 }];
  new TestGrowingRecording(talks, [], { spool, recordingId: 'A' }).end(1_000_000);
  const measured = Promise.withResolvers<void>();
  const asked: string[] = [];
  let ended = false;
  const directory = {
    conversationEnded: async () => {
      ended = true;
    },
  };
  const closer = new ConversationCloser({
    clock: new FakeClock(),
    log: silentLogger,
    directory: directory as unknown as Directory,
    spoolDir: spool.spoolDirectory,
    masterKey: spool.masterKey,
    whenMeasured: (recordingId) => {
      asked.push(recordingId);
      return measured.promise;
    },
  });
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
