import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { recordingView } from '../render/recording-view.ts';
import { openRendition } from '../render/rendition.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { frame, testNoise, testStream } from '../render/test-track.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool } from '../spool/reader.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { AlongEncoder } from './along-encoder.ts';
import { EncodeDesk } from './encode-desk.ts';

const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey, clock } = spool;
const common = { spoolDir, masterKey, lossConcealment: 'on' } as const;
after(() => spool.remove());

let recordings = 0;

/** Two parties for twenty seconds. */
function recording(): { recordingId: string; growing: TestGrowingRecording } {
  const recordingId = (10 + recordings++).toString(16).toUpperCase();
  const talks = ['a', 'b'].map((trackId, index) => ({
    trackId: `${trackId}${recordingId}`,
    records: testStream(testNoise(1000 * frame, 9000 - 3000 * index)).records,
    leaveUs: 20_000_000,
  }));
  return { recordingId, growing: new TestGrowingRecording(talks, [], { spool, recordingId }) };
}

async function rendered(recordingId: string, stereo: boolean): Promise<Buffer> {
  const spooled = openSpool(conversationDirectoryOf(spoolDir, 'room'), recordingId, masterKey);
  const rendition = openRendition(recordingView(spooled), { kind: stereo ? 'stereo' : 'mix', format: 'mp3' });
  return Buffer.concat(await Array.fromAsync(rendition.read(), (chunk) => chunk.slice()));
}

for (const stereo of [false, true])
  test(`what was encoded along, begun late, is the rendition byte for byte (${stereo ? 'stereo' : 'mix'})`, async () => {
    const { recordingId, growing } = recording();
    const desk = new EncodeDesk({ ...common, clock });
    for (let timeUs = 0; timeUs < 20_000_000; timeUs += 1_700_000) {
      clock.advanceUs(1_700_000);
      growing.until(timeUs);
      growing.settle();
      if (timeUs === 5_100_000) desk.follow({ conversationId: 'room', recordingId, stereo });
      desk.step([recordingId]);
    }
    growing.end(20_000_000);
    const file = desk.take(recordingId);
    assert.ok(file);
    assert.ok((await rendered(recordingId, stereo)).equals(file));
    assert.equal(desk.take(recordingId), undefined);
  });

test('none before the end, none that was dropped, none beyond the limit', () => {
  const { recordingId, growing } = recording();
  const order = { conversationId: 'room', recordingId, stereo: false };
  const desk = new EncodeDesk({ ...common, clock, maxFileBytes: 50_000 });
  desk.follow(order);
  growing.until(5_000_000);
  growing.settle();
  desk.step([recordingId]);
  assert.equal(desk.take(recordingId), undefined);
  desk.follow(order);
  desk.drop(recordingId);
  growing.until(20_000_000);
  growing.end(20_000_000);
  assert.equal(desk.take(recordingId), undefined);
  desk.follow(order);
  desk.step([recordingId]);
  assert.equal(desk.take(recordingId), undefined);
});

test('the thread gives the same', async () => {
  const { recordingId, growing } = recording();
  const encoder = new AlongEncoder(common);
  try {
    growing.until(5_000_000);
    growing.settle();
    await encoder.follow({ conversationId: 'room', recordingId, stereo: false });
    await encoder.step([recordingId]);
    growing.until(20_000_000);
    growing.end(20_000_000);
    const file = await encoder.take(recordingId);
    assert.ok(file && (await rendered(recordingId, false)).equals(file));
  } finally {
    await encoder.close();
  }
});
