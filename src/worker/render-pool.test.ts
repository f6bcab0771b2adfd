import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioFileFormats } from '../container/audio-file.ts';
import { wavHeaderBytes } from '../container/wav.ts';
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

test('a file begins at once, with all that is before its audio; any part of it is the same, rendered or kept', async () => {
  const spool = new TestSpool();
  const { masterKey, spoolDirectory: spoolDir } = spool;
  writeLossyRecording(spool);
  const pool = new RenderPool({ threads: 1, encodeThreads: 1, spoolDir, masterKey });
  const ids = { conversationId: 'room', recordingId: 'rec', kind: 'stereo', trackId: undefined } as const;
  try {
    for (const format of audioFileFormats) {
      const read = async (first: number, last: number) => {
        const file = await pool.open({ ...ids, format });
        const chunks = await Array.fromAsync(file.read(first, Math.min(last, file.head.byteLength - 1)));
        return { file, chunks, bytes: Buffer.concat(chunks) };
      };
      const whole = await read(0, Number.POSITIVE_INFINITY);
      const { byteLength, leadingBytes } = whole.file.head;
      assert.equal(whole.bytes.length, byteLength);
      assert.ok(leadingBytes.length >= wavHeaderBytes && leadingBytes.length < byteLength);
      assert.deepEqual(whole.chunks[0], leadingBytes);
      const [head, end] = [leadingBytes.length, byteLength - 1];
      const parts = [
        [0, 0],
        [0, end],
        [1, head],
        [head - 1, head],
        [head, end],
        [head + 7, head + 8],
        [end, end],
      ];
      for (const [first, last] of parts as [number, number][])
        assert.ok(
          (await read(first, last)).bytes.equals(whole.bytes.subarray(first, last + 1)),
          `${format} from ${first} to ${last}`,
        );
    }
  } finally {
    await pool.close();
    spool.remove();
  }
});
