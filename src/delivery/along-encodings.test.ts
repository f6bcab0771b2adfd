import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { recordingView } from '../render/recording-view.ts';
import { openRendition } from '../render/rendition.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { frame, testNoise, testStream } from '../render/test-track.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool } from '../spool/reader.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { AlongEncoder } from '../worker/along-encoder.ts';
import { AlongEncodings } from './along-encodings.ts';

const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey } = spool;
after(() => spool.remove());

const worthwhileMs = 20 * 60_000;
const conversationId = 'room';
let recordings = 0;

/** Ten seconds of one party, a second at each settling. */
function stage(isLost = false) {
  const recordingId = (10 + recordings++).toString(16).toUpperCase();
  const { records } = testStream(testNoise(500 * frame, 9000));
  const talks = [{ trackId: `a${recordingId}`, records, leaveUs: 10_000_000 }];
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId });
  const clock = new FakeClock();
  const encoder = new AlongEncoder({ spoolDir, masterKey, lossConcealment: 'on' });
  let settled = 0;
  const stepped: string[] = [];
  const step = async (recordingIds: string[]) => {
    stepped.push(...recordingIds);
    await encoder.step(recordingIds);
  };
  const encodings = new AlongEncodings({
    ...{ clock, log: silentLogger },
    encoder: {
      ...{ follow: encoder.follow.bind(encoder), take: encoder.take.bind(encoder), step },
      drop: encoder.drop.bind(encoder),
    },
    async settleAll(conversationIds) {
      growing.until(++settled * 1_000_000);
      growing.settle();
      return isLost ? conversationIds : new Set();
    },
  });
  const close = async () => {
    encodings.close();
    await encoder.close();
  };
  const end = () => {
    growing.until(10_000_000);
    growing.end(10_000_000);
  };
  return { recordingId, clock, encodings, encoder, end, close, stepped, settledTimes: () => settled };
}

test('a long recording: settled and encoded step by step; its file is the rendition, given once', async () => {
  const { recordingId, clock, encodings, end, close, settledTimes } = stage();
  try {
    encodings.follow({ conversationId, recordingId, stereo: false });
    clock.advanceMs(worthwhileMs - 1);
    assert.equal(settledTimes(), 0);
    while (settledTimes() < 3) {
      clock.advanceMs(10_000);
      await setImmediate();
    }
    end();
    encodings.ended(recordingId);
    const file = await encodings.take(recordingId);
    const spooled = openSpool(conversationDirectoryOf(spoolDir, conversationId), recordingId, masterKey);
    const rendition = openRendition(recordingView(spooled), { kind: 'mix', format: 'mp3' });
    const wanted = Buffer.concat(await Array.fromAsync(rendition.read(), (chunk) => chunk.slice()));
    assert.ok(file && wanted.equals(file));
    assert.equal(await encodings.take(recordingId), undefined);
  } finally {
    await close();
  }
});

test('a short one is not encoded, one that nobody takes is not kept', async () => {
  const { recordingId, clock, encodings, end, close, settledTimes } = stage();
  try {
    encodings.follow({ conversationId, recordingId, stereo: false });
    clock.advanceMs(worthwhileMs / 2);
    encodings.ended(recordingId);
    clock.advanceMs(worthwhileMs);
    assert.equal(settledTimes(), 0);
    assert.equal(await encodings.take(recordingId), undefined);
    encodings.follow({ conversationId, recordingId, stereo: false });
    clock.advanceMs(worthwhileMs);
    end();
    encodings.ended(recordingId);
    clock.advanceMs(5 * 60_000);
    assert.equal(await encodings.take(recordingId), undefined);
  } finally {
    await close();
  }
});

test('what can not be settled is not encoded on: its parties may be in different places', async () => {
  for (const isLost of [false, true]) {
    const { recordingId, clock, encodings, end, close, stepped, settledTimes } = stage(isLost);
    try {
      encodings.follow({ conversationId, recordingId, stereo: false });
      clock.advanceMs(worthwhileMs);
      while (settledTimes() < 3) {
        clock.advanceMs(10_000);
        await setImmediate();
      }
      assert.equal(stepped.includes(recordingId), !isLost);
      end();
      encodings.ended(recordingId);
      assert.ok(await encodings.take(recordingId));
    } finally {
      await close();
    }
  }
});

test('a thread that is gone takes nothing along but time', async () => {
  const { recordingId, clock, encodings, encoder, end, close } = stage();
  try {
    encodings.follow({ conversationId, recordingId, stereo: false });
    clock.advanceMs(worthwhileMs);
    await encoder.close();
    end();
    encodings.ended(recordingId);
    assert.equal(await encodings.take(recordingId), undefined);
  } finally {
    await close();
  }
});
