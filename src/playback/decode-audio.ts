import { resample } from '../audio/resample.ts';
import { parseWav } from '../container/wav-parser.ts';
import { CallreelError } from '../errors.ts';
import { firstMp3Frame } from './mp3-header.ts';
import { mp3Samples } from './mp3-samples.ts';
import { tooLong } from './sample-buffer.ts';
import { monoSamples } from './wav-samples.ts';

export interface DecodeJob {
  bytes: Uint8Array;
  /** Of the result. */
  rateHz: number;
  maxSeconds: number;
  /** Bytes that are not a WAV file are mono 16-bit samples at this rate, little-endian. */
  rawRateHz?: number | undefined;
}

/** Slower than this is no audio; above, rates are rounded so that the filter for any of them stays small. */
const minRateHz = 2000;
const rateStepHz = 25;

/** What else people take for playable, by their first bytes, to name it in the error. */
const others: readonly [prefix: string, name: string][] = [
  ['OggS', 'Ogg'],
  ['fLaC', 'FLAC'],
  ['FORM', 'AIFF'],
  ['.snd', 'AU'],
  ['<', 'HTML or XML'],
  ['{', 'JSON'],
];

/**
 * WAV and MP3, told by their bytes, as mono samples at the rate wanted.
 * @throws CallreelError AUDIO_INVALID, AUDIO_TOO_LONG
 */
export async function decodeAudio(job: DecodeJob): Promise<Int16Array<ArrayBuffer>> {
  const { bytes, rateHz, maxSeconds, rawRateHz } = job;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1');
  if (/^(RIFF|RF64)....WAVE/s.test(head)) return wavAudio(parseWav(bytes), rateHz, maxSeconds);
  if (rawRateHz !== undefined) {
    const frames = bytes.length >> 1;
    const raw = { encoding: 'pcm16', rateHz: rawRateHz, channels: 1, frames, data: bytes } as const;
    return wavAudio(raw, rateHz, maxSeconds);
  }
  const frame = firstMp3Frame(bytes);
  if (frame) return mp3Samples(bytes, frame, rateHz, maxSeconds * rateHz);
  const other = others.find(([prefix]) => head.trimStart().startsWith(prefix))?.[1];
  throw new CallreelError('AUDIO_INVALID', `neither WAV nor MP3${describe(bytes, other)}`, {
    where: 'byte 0',
  });
}

function wavAudio(
  wav: ReturnType<typeof parseWav>,
  rateHz: number,
  maxSeconds: number,
): Int16Array<ArrayBuffer> {
  if (wav.frames === 0) throw new CallreelError('AUDIO_INVALID', 'a WAV file without any audio in it');
  if (wav.rateHz < minRateHz) throw new CallreelError('AUDIO_INVALID', `sample rate ${wav.rateHz}`);
  const seconds = wav.frames / wav.rateHz;
  if (seconds > maxSeconds) throw tooLong(`${Math.floor(seconds)} s; at most ${maxSeconds} s are played`);
  const fromHz = Math.round(wav.rateHz / rateStepHz) * rateStepHz;
  const mono = monoSamples(wav);
  return fromHz === rateHz ? mono : (resample(mono, fromHz, rateHz) as Int16Array<ArrayBuffer>);
}

function describe(bytes: Uint8Array, other: string | undefined): string {
  if (bytes.length === 0) return ': it is empty';
  return other === undefined ? '' : ` but ${other}`;
}
