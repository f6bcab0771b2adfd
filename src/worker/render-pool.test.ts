import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioFileFormats } from '../container/audio-file.ts';
import { wavHeaderBytes } from '../container/wav.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { lossyChannelWithSilence, lostSpan, writeLossyRecording } from '../render/test-lossy-recording.ts';
import { frame, testStream, testTone } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { type OpenRendition, RenderPool } from './render-pool.ts';

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

test('of a recording that grows a file holds, whatever its format, what there was when it was opened', async () => {
  const { records } = testStream(testTone(400 * frame, 440, 9000));
  const growing = new TestGrowingRecording([{ trackId: 'a', records, leaveUs: 8_000_000 }]);
  const { masterKey, spoolDirectory: spoolDir } = growing.spool;
  const pool = new RenderPool({ threads: 1, encodeThreads: 1, spoolDir, masterKey });
  const ids = {
    conversationId: 'room',
    recordingId: growing.recordingId,
    kind: 'mix',
    trackId: undefined,
  } as const;
  const until = (timeUs: number): void => {
    growing.until(timeUs);
    growing.settle();
  };
  try {
    for (const [index, format] of audioFileFormats.entries()) {
      const opened: OpenRendition[] = [];
      for (const timeUs of [1_000_000, 2_000_000]) {
        until(index * 2_000_000 + timeUs);
        opened.push(await pool.open({ ...ids, format }));
      }
      const [earlier, later] = opened.map(({ head }) => head);
      assert.ok(!earlier!.complete && !later!.complete);
      assert.ok(earlier!.byteLength < later!.byteLength, format);
      for (const file of opened) {
        const chunks = await Array.fromAsync(file.read(0, file.head.byteLength - 1));
        assert.equal(Buffer.concat(chunks).length, file.head.byteLength, format);
      }
    }
    growing.end(8_000_000);
    const whole = await pool.open({ ...ids, format: 'mp3' });
    assert.ok(whole.head.complete);
    whole.release();
  } finally {
    await pool.close();
    growing.spool.remove();
  }
});

test('a file whose recording is not there is refused before anything of it is sent', async () => {
  const spool = new TestSpool();
  const { masterKey, spoolDirectory: spoolDir } = spool;
  const pool = new RenderPool({ threads: 1, encodeThreads: 1, spoolDir, masterKey });
  try {
    for (const format of audioFileFormats) {
      const request = {
        conversationId: 'room',
        recordingId: 'rec',
        kind: 'mix',
        trackId: undefined,
        format,
      } as const;
      await assert.rejects(pool.open(request), { code: 'NOT_FOUND' });
    }
  } finally {
    await pool.close();
    spool.remove();
  }
});
