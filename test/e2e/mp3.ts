import assert from 'node:assert/strict';
import { MPEGDecoder } from 'mpg123-decoder';
import type { AudioBody } from './bodies.ts';

/** The samples behind the MP3 link of a channel or a mix, at 8 kHz, and the content type it came with. */
export async function mp3Of({
  mp3_file,
}: AudioBody): Promise<[samples: Int16Array, contentType: string | null]> {
  const response = await fetch(mp3_file);
  assert.equal(response.status, 200);
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(new Uint8Array(await response.arrayBuffer()));
  decoder.free();
  assert.deepEqual([sampleRate, errors], [8000, []]);
  const [left] = channelData;
  return [
    Int16Array.from(left!, (sample) => Math.round(sample * 32_767)),
    response.headers.get('content-type'),
  ];
}
