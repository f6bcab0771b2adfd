import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { lossyChannelWithSilence, lostSpan, writeLossyRecording } from '../render/test-lossy-recording.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { RenderPool } from './render-pool.ts';

async function rendered(spool: TestSpool, lossConcealment?: 'on' | 'off'): Promise<Int16Array> {
  const { masterKey, spoolDirectory: spoolDir } = spool;
  const pool = new RenderPool({
    threads: 1,
    spoolDir,
    masterKey,
    ...(lossConcealment && { lossConcealment }),
  });
  try {
    const rendition = await pool.open({
      conversationId: 'room',
      recordingId: 'rec',
      kind: 'channel',
      trackId: 'a',
      format: 'wav',
    });
    const chunks = await Array.fromAsync(rendition.read(0, rendition.head.byteLength - 1));
    rendition.release();
    return pcm16Samples(parseWav(Buffer.concat(chunks)).data);
  } finally {
    await pool.close();
  }
}

test('a lost packet is concealed, or silence where the files are to hold what was received alone', async () => {
  const spool = new TestSpool();
  try {
    writeLossyRecording(spool);
    assert.deepEqual(await rendered(spool, 'off'), lossyChannelWithSilence);
    for (const concealed of [await rendered(spool, 'on'), await rendered(spool)]) {
      const gap = concealed.subarray(...lostSpan);
      assert.ok(
        gap.some((sample) => Math.abs(sample) > 1000),
        'the gap is filled',
      );
    }
  } finally {
    spool.remove();
  }
});
