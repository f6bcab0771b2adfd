import { readFile } from 'node:fs/promises';
import { Resampler } from '../../src/audio/resample.ts';
import { type AudioFile, decodeWav } from '../../src/testkit/audio-file.ts';

const rateHz = 8000;

/** The first channel at 8000 Hz, whatever the file has: for looking at tones below 4000 Hz. */
export function narrowband({ rateHz: fileHz, channels }: AudioFile): Int16Array {
  const samples = channels[0] ?? new Int16Array(0);
  if (fileHz === rateHz) return samples;
  const resampler = new Resampler(fileHz, rateHz);
  const out = new Int16Array(resampler.maxOutput(samples.length) + resampler.maxOutput(0));
  const written = resampler.push(samples, out);
  return out.subarray(0, written + resampler.flush(out.subarray(written)));
}

export async function readNarrowband(path: string): Promise<Int16Array> {
  return narrowband(decodeWav(await readFile(path)));
}
