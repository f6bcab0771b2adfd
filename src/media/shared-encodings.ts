import type { Encoder } from '../codec/codec.ts';
import { encoderFor, isStateless, maxPayloadBytes } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';
import { encodingCount } from './encoding-count.ts';

/** The slots of one mix in one format. */
export class SharedEncoding {
  readonly encoder: Encoder;
  /** Of the last slot; valid until the next one. */
  payload: Uint8Array;
  /** Number of the last slot. */
  slot = -2;
  readonly #buffer = new Uint8Array(maxPayloadBytes);
  readonly #remembers: boolean;
  #samples: Int16Array | undefined;
  #peak = 0;

  /** @throws CallreelError NO_COMMON_CODEC */
  constructor(format: NegotiatedCodec) {
    this.encoder = encoderFor(format);
    this.payload = this.#buffer;
    this.#remembers = !isStateless(format.codec);
  }

  /** Of the last slot's samples, while they are valid. */
  get peak(): number {
    if (!this.#samples) return this.#peak;
    this.#peak = 0;
    for (const sample of this.#samples) this.#peak = Math.max(this.#peak, Math.abs(sample));
    this.#samples = undefined;
    return this.#peak;
  }

  encode(samples: Int16Array, slot: number): void {
    if (this.#remembers) encodingCount.slots++;
    this.slot = slot;
    this.#samples = samples;
    const bytes = this.encoder.encode(samples, this.#buffer);
    if (bytes !== this.payload.length) this.payload = this.#buffer.subarray(0, bytes);
  }
}

/** Encodes a slot once for everybody who hears the same in the same format. */
export class SharedEncodings {
  readonly #encodings = new Map<string, SharedEncoding>();
  #slot = 0;

  begin(): void {
    this.#slot++;
  }

  /** @throws CallreelError NO_COMMON_CODEC */
  of(key: string, format: NegotiatedCodec): SharedEncoding {
    let encoding = this.#encodings.get(key);
    if (!encoding) this.#encodings.set(key, (encoding = new SharedEncoding(format)));
    return encoding;
  }

  /** This slot was encoded already. */
  hasSlot({ slot }: SharedEncoding): boolean {
    return slot === this.#slot;
  }

  /** The slot before was encoded, so that somebody may expect what follows on it. */
  goesOn({ slot }: SharedEncoding): boolean {
    return slot >= this.#slot - 1;
  }

  /** @param samples of this slot, at the format's rate @returns the payload, valid until the next slot */
  encode(encoding: SharedEncoding, samples: Int16Array): Uint8Array {
    if (encoding.slot !== this.#slot) encoding.encode(samples, this.#slot);
    return encoding.payload;
  }
}

/** Formats with the same key give the same payloads of the same samples. */
export function encodingKey({ codec, clockRateHz, opus }: NegotiatedCodec): string {
  if (codec !== 'OPUS' || !opus) return `${codec}/${clockRateHz}`;
  const { maxPlaybackRateHz, maxAverageBitrate, useInbandFec, useDtx } = opus;
  return `${codec}/${clockRateHz}/${maxPlaybackRateHz}/${maxAverageBitrate}/${useInbandFec}/${useDtx}`;
}
