import { readFile } from 'node:fs/promises';
import { decodeAlaw, decodeUlaw } from '../codec/g711.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { CallreelError } from '../errors.ts';

export interface AudioFile {
  rateHz: number;
  /** Samples of each channel, in the order of the file. */
  channels: Int16Array[];
}

/**
 * Decodes a whole WAV file with 16-bit PCM or G.711.
 * @throws CallreelError AUDIO_INVALID
 */
export function decodeWav(bytes: Uint8Array): AudioFile {
  const { encoding, rateHz, channels, frames, data } = parseWav(bytes);
  if (encoding !== 'pcm16' && encoding !== 'alaw' && encoding !== 'ulaw')
    throw new CallreelError('AUDIO_INVALID', `a phone plays 16-bit PCM or G.711, not ${encoding}`);
  const interleaved = encoding === 'pcm16' ? pcm16Samples(data) : new Int16Array(data.length);
  if (encoding === 'alaw') decodeAlaw(data, interleaved);
  if (encoding === 'ulaw') decodeUlaw(data, interleaved);
  const split = Array.from({ length: channels }, (_, channel) => {
    const samples = new Int16Array(frames);
    for (let frame = 0; frame < frames; frame++) samples[frame] = interleaved[frame * channels + channel]!;
    return samples;
  });
  return { rateHz, channels: split };
}

/**
 * Samples of a mono 8 kHz WAV file: what a phone can play.
 * @throws CallreelError AUDIO_INVALID
 */
export async function readLineAudio(path: string): Promise<Int16Array> {
  const { rateHz, channels } = decodeWav(await readFile(path));
  const [samples] = channels;
  if (rateHz === 8000 && channels.length === 1 && samples) return samples;
  const found = `${channels.length} channels at ${rateHz} Hz`;
  throw new CallreelError('AUDIO_INVALID', `a phone plays mono at 8000 Hz, not ${found}`, { where: path });
}
