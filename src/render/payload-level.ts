import type { Decoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { decodeAlaw, decodeUlaw } from '../codec/g711.ts';
import type { FormatRecord } from '../spool/records.ts';
import { isSameStream } from './stream-decoder.ts';

/** Every such sample tells enough; a tone has no such period. */
const stride = 7;
/** Codecs that have to be decoded are listened to so often. */
const probeUs = 100_000;
/** At which they are. */
const probeRateHz = 8000;
const mostSamples = 5760;
let probed = new Int16Array(mostSamples);

function squaresOf(decode: (payload: Uint8Array, out: Int16Array) => number): Float64Array {
  const samples = new Int16Array(256);
  decode(
    Uint8Array.from({ length: 256 }, (_, code) => code),
    samples,
  );
  return Float64Array.from(samples, (sample) => sample * sample);
}

const ulawSquares = squaresOf(decodeUlaw);
const alawSquares = squaresOf(decodeAlaw);

/** How loud packets are, at the least cost: G.711 as it stands in the payload, of other codecs one packet in 100 ms. */
export class PayloadLevel {
  #decoder: { format: FormatRecord; decoder: Decoder } | undefined;
  #probedUs = Number.NEGATIVE_INFINITY;
  #meanSquare = 0;

  /** @returns mean square of the samples; of a packet that is not decoded that of the one before */
  of(format: FormatRecord, payload: Uint8Array, arrivalUs: number): number {
    if (format.codec === 'PCMU') return meanOf(ulawSquares, payload);
    if (format.codec === 'PCMA') return meanOf(alawSquares, payload);
    if (format.codec === 'CN') return 0;
    if (arrivalUs - this.#probedUs >= probeUs) {
      this.#probedUs = arrivalUs;
      this.#meanSquare = this.#probe(format, payload);
    }
    return this.#meanSquare;
  }

  close(): void {
    this.#decoder?.decoder.close?.();
    this.#decoder = undefined;
  }

  #probe(format: FormatRecord, payload: Uint8Array): number {
    const room = Math.max(mostSamples, payload.length * 2);
    if (probed.length < room) probed = new Int16Array(room);
    const made = this.#decoderOf(format).decode(payload, probed);
    let sum = 0;
    for (let at = 0; at < made; at++) sum += probed[at]! * probed[at]!;
    return made === 0 ? 0 : sum / made;
  }

  #decoderOf(format: FormatRecord): Decoder {
    if (this.#decoder && isSameStream(this.#decoder.format, format)) return this.#decoder.decoder;
    this.close();
    const decoder = createDecoder(format.codec, format.clockRateHz, probeRateHz);
    this.#decoder = { format, decoder };
    return decoder;
  }
}

function meanOf(squares: Float64Array, payload: Uint8Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < payload.length; at += stride, count++) sum += squares[payload[at]!]!;
  return count === 0 ? 0 : sum / count;
}
