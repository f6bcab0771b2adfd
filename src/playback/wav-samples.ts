import { decodeAlaw, decodeUlaw } from '../codec/g711.ts';
import type { ParsedWav, WavEncoding } from '../container/wav-parser.ts';

/** The sample at a byte offset, in 16-bit units, not rounded. */
type SampleReader = (view: DataView, offset: number) => number;

const linear: Record<Exclude<WavEncoding, 'alaw' | 'ulaw'>, { bytes: number; read: SampleReader }> = {
  // Eight-bit WAV is unsigned.
  pcm8: { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) * 256 },
  pcm16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  pcm24: { bytes: 3, read: (view, at) => view.getInt16(at + 1, true) + view.getUint8(at) / 256 },
  pcm32: { bytes: 4, read: (view, at) => view.getInt32(at, true) / 65_536 },
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) * 32_768 },
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) * 32_768 },
};

/** The channels' mean as 16-bit samples. What is no number is silence. */
export function monoSamples({ encoding, channels, frames, data }: ParsedWav): Int16Array<ArrayBuffer> {
  if (encoding === 'alaw' || encoding === 'ulaw')
    return meanOf(decodedG711(encoding, data), channels, frames);
  const { bytes, read } = linear[encoding];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const mono = new Int16Array(frames);
  let offset = 0;
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, offset += bytes) sum += read(view, offset);
    mono[frame] = clipped(sum / channels);
  }
  return mono;
}

function decodedG711(law: 'alaw' | 'ulaw', data: Uint8Array): Int16Array {
  const interleaved = new Int16Array(data.length);
  (law === 'alaw' ? decodeAlaw : decodeUlaw)(data, interleaved);
  return interleaved;
}

function meanOf(interleaved: Int16Array, channels: number, frames: number): Int16Array<ArrayBuffer> {
  const mono = new Int16Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += interleaved[frame * channels + channel]!;
    mono[frame] = clipped(sum / channels);
  }
  return mono;
}

/** A sample in 16-bit units, rounded and held within its range; 0 for what is no number. */
export function clipped(sample: number): number {
  return Math.round(Math.min(32_767, Math.max(-32_768, sample))) || 0;
}
