import { MPEGDecoder } from 'mpg123-decoder';
import { Resampler, resampledLength } from '../audio/resample.ts';
import { CallreelError } from '../errors.ts';
import type { Mp3Frame } from './mp3-header.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { clipped } from './wav-samples.ts';

/** Fed at once. The decoder tells the rate only of what came last, so a change of rate is off by this much at most. */
const feedBytes = 1024;
const maxDecoderErrors = 100;

/**
 * Decodes to mono at another rate. Damaged frames are left out; a file with little else is refused.
 * @param maxSamples of the result
 * @throws CallreelError AUDIO_INVALID, AUDIO_TOO_LONG
 */
export async function mp3Samples(
  bytes: Uint8Array,
  first: Mp3Frame,
  rateHz: number,
  maxSamples: number,
): Promise<Int16Array<ArrayBuffer>> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const output = new SampleBuffer(maxSamples);
  let resampler = new Resampler(first.rateHz, rateHz);
  const restoreConsole = endDecodingOnErrors();
  try {
    for (let at = first.offset; at < bytes.length; at += feedBytes) {
      const { channelData, sampleRate } = decoder.decode(bytes.subarray(at, at + feedBytes));
      if (sampleRate !== 0 && sampleRate !== resampler.fromHz) {
        output.append(flushed(resampler));
        resampler = new Resampler(sampleRate, rateHz);
      }
      output.append(resampled(resampler, meanOf(channelData)));
    }
    output.append(flushed(resampler));
  } finally {
    restoreConsole();
    decoder.free();
  }
  if (output.length === 0)
    throw new CallreelError('AUDIO_INVALID', 'no frame of the MP3 file can be decoded');
  return output.samples();
}

/** The decoder's read loop does not end while mpg123 reports errors; what it prints for each is the only way in. */
function endDecodingOnErrors(): () => void {
  const { error } = console;
  let count = 0;
  console.error = () => {
    if (++count > maxDecoderErrors)
      throw new CallreelError('AUDIO_INVALID', 'the MP3 file is damaged throughout');
  };
  return () => {
    console.error = error;
  };
}

function meanOf(channels: readonly Float32Array[]): Int16Array {
  const [left = new Float32Array(0), right = left] = channels;
  const mono = new Int16Array(left.length);
  for (let k = 0; k < mono.length; k++) mono[k] = clipped((left[k]! + right[k]!) * 16_384);
  return mono;
}

function resampled(resampler: Resampler, samples: Int16Array): Int16Array {
  if (resampler.fromHz === resampler.toHz) return samples;
  const out = new Int16Array(resampler.maxOutput(samples.length));
  return out.subarray(0, resampler.push(samples, out));
}

function flushed(resampler: Resampler): Int16Array {
  if (resampler.fromHz === resampler.toHz) return new Int16Array(0);
  const out = new Int16Array(
    resampledLength(2 * resampler.reachSamples, resampler.fromHz, resampler.toHz) + 2,
  );
  return out.subarray(0, resampler.flush(out));
}
