import type { Encoder } from '../codec/codec.ts';
import { encoderFor, maxPayloadBytes } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';

interface SharedEncoding {
  readonly encoder: Encoder;
  readonly buffer: Uint8Array;
  payload: Uint8Array;
  slot: number;
}

/** Encodes a slot once for everybody who hears the same in the same format. */
export class SharedEncodings {
  readonly #encodings = new Map<string, SharedEncoding>();
  #slot = 0;

  begin(): void {
    this.#slot++;
  }

  /** @param samples of this slot, at the format's rate @returns the payload, valid until the next slot */
  encode(key: string, format: NegotiatedCodec, samples: Int16Array): Uint8Array {
    let encoding = this.#encodings.get(key);
    if (!encoding) {
      const buffer = new Uint8Array(maxPayloadBytes);
      encoding = { encoder: encoderFor(format), buffer, payload: buffer, slot: -1 };
      this.#encodings.set(key, encoding);
    }
    if (encoding.slot === this.#slot) return encoding.payload;
    encoding.slot = this.#slot;
    const { encoder, buffer, payload } = encoding;
    const bytes = encoder.encode(samples, buffer);
    if (bytes !== payload.length) encoding.payload = buffer.subarray(0, bytes);
    return encoding.payload;
  }
}

/** Formats with the same key give the same payloads of the same samples. */
export function encodingKey({ codec, clockRateHz, opus }: NegotiatedCodec): string {
  if (codec !== 'OPUS' || !opus) return `${codec}/${clockRateHz}`;
  const { maxPlaybackRateHz, maxAverageBitrate, useInbandFec, useDtx } = opus;
  return `${codec}/${clockRateHz}/${maxPlaybackRateHz}/${maxAverageBitrate}/${useInbandFec}/${useDtx}`;
}
