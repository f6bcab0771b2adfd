import assert from 'node:assert/strict';
import { MPEGDecoder } from 'mpg123-decoder';
import { playMp4 } from '../../src/container/test-mp4-playback.ts';
import { type AudioFile, decodeWav } from '../../src/testkit/audio-file.ts';

export const contentTypes = { wav: 'audio/wav', mp3: 'audio/mpeg', mp4: 'audio/mp4' } as const;
export type Format = keyof typeof contentTypes;

/** What a player makes of the answer, which is the whole file. */
export async function playedFile(response: Response, format: Format): Promise<AudioFile> {
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, contentTypes[format]]);
  assert.equal(response.headers.get('content-length'), String(bytes.length));
  if (format === 'wav') return decodeWav(bytes);
  const { rateHz, channels } = format === 'mp3' ? await playMp3(bytes) : await playMp4(bytes);
  return {
    rateHz,
    channels: channels.map((pcm) => Int16Array.from(pcm, (sample) => Math.round(sample * 32_767))),
  };
}

async function playMp3(bytes: Buffer): Promise<{ rateHz: number; channels: Float32Array[] }> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(bytes);
  decoder.free();
  assert.deepEqual(errors, []);
  // The fourth byte of every frame says how many there are; of one the decoder gives two.
  const isMono = bytes[3]! >> 6 === 3;
  return { rateHz: sampleRate, channels: isMono ? channelData.slice(0, 1) : channelData };
}
