/** Interleaved: each channel a tone of its own, or silence where it is 0 Hz. */
export function testTones(samples: number, rateHz: number, ...hertz: readonly number[]): Int16Array {
  const out = new Int16Array(samples * hertz.length);
  for (let at = 0; at < out.length; at += 1) {
    const turns = (hertz[at % hertz.length]! * Math.floor(at / hertz.length)) / rateHz;
    out[at] = 12_000 * Math.sin(2 * Math.PI * turns);
  }
  return out;
}

/** The file that the parts make, written in their order. */
export function fileOf(parts: readonly { at: number; bytes: Uint8Array }[]): Buffer {
  const length = parts.reduce((end, { at, bytes }) => Math.max(end, at + bytes.length), 0);
  const file = Buffer.alloc(length);
  for (const { at, bytes } of parts) file.set(bytes, at);
  return file;
}

/** The encoders' edges: so many samples at both ends are not measured. */
const edgeSamples = 2304;

/** How far the difference of one channel of `signal` and what was decoded of it lies below that channel, in dB. */
export function distanceDb(signal: Int16Array, decoded: Float32Array, side = 0, channels = 1): number {
  let power = 0;
  let error = 0;
  for (let k = edgeSamples; k < signal.length / channels - edgeSamples; k += 1) {
    const sample = signal[k * channels + side]! / 32_768;
    power += sample * sample;
    error += (sample - (decoded[k] ?? 0)) ** 2;
  }
  return 10 * Math.log10(power / error);
}

/** RMS level of the tone in a second of the middle of `pcm`, in dB of full scale. */
export function toneDb(pcm: Float32Array, rateHz: number, hertz: number): number {
  const from = Math.floor(pcm.length / 4);
  let [real, imaginary] = [0, 0];
  for (let k = 0; k < rateHz; k += 1) {
    const window = 1 - Math.cos((2 * Math.PI * k) / rateHz);
    const turn = (2 * Math.PI * hertz * k) / rateHz;
    real += pcm[from + k]! * window * Math.cos(turn);
    imaginary += pcm[from + k]! * window * Math.sin(turn);
  }
  return 10 * Math.log10((2 * (real ** 2 + imaginary ** 2)) / rateHz ** 2);
}

/** By the bytes: what `assert.deepEqual` says of long arrays that differ takes it minutes. */
export function isSameAudio(one: Float32Array, other: Float32Array): boolean {
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bytesOf(one).equals(bytesOf(other));
}
