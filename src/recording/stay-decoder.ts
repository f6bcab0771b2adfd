import type { CodecName, Decoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import type { CapturedPacket } from '../media/capture-sink.ts';

/** Enough for voice activity, and what most calls have. */
export const voiceRateHz = 8000;

/** 120 ms of Opus, or the largest datagram of G.711. */
const maxSamples = 6000;

/** Decodes a stay's packets as they come, for whoever listens while the call goes on. */
export class StayDecoder {
  #decoder: Decoder | undefined;
  #codec: CodecName | undefined;
  #clockRateHz = 0;
  #ssrc = -1;
  #out = new Int16Array(maxSamples);

  /** @returns the packet's samples at `voiceRateHz`, valid until the next one; none of comfort noise */
  decode({ codec, clockRateHz, ssrc, payload }: CapturedPacket): Int16Array {
    if (codec === 'CN') return this.#out.subarray(0, 0);
    if (codec !== this.#codec || clockRateHz !== this.#clockRateHz || ssrc !== this.#ssrc) {
      this.close();
      this.#decoder = createDecoder(codec, clockRateHz, voiceRateHz);
      this.#codec = codec;
      this.#clockRateHz = clockRateHz;
      this.#ssrc = ssrc;
    }
    const decoder = this.#decoder!;
    if (this.#out.length < 2 * payload.length) this.#out = new Int16Array(2 * payload.length);
    const samples = decoder.decode(payload, this.#out);
    return this.#out.subarray(0, decimate(this.#out, samples, decoder.rateHz / voiceRateHz));
  }

  close(): void {
    this.#decoder?.close?.();
    this.#decoder = undefined;
    this.#codec = undefined;
  }
}

/** The mean of each group: what is folded down by it changes no decision. @returns the number of samples left */
function decimate(samples: Int16Array, length: number, factor: number): number {
  if (factor === 1) return length;
  const left = Math.floor(length / factor);
  for (let i = 0; i < left; i++) {
    let sum = 0;
    for (let k = 0; k < factor; k++) sum += samples[i * factor + k]!;
    samples[i] = sum / factor;
  }
  return left;
}
