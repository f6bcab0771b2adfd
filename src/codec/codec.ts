/** Codecs the product knows by name; each has its own file beside this one. */
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'OPUS';

/** Turns one payload into samples. Stateful codecs keep their state here; one decoder per stream. */
export interface Decoder {
  readonly rateHz: number;
  /**
   * Decodes `payload` into `out` from index 0.
   * @returns the number of samples written, mono, 16 bit, at `rateHz`
   */
  decode(payload: Uint8Array, out: Int16Array): number;
  /**
   * Stands in for a lost packet of `samples` samples, where the codec itself knows how (Opus); `next` is the payload
   * behind the loss, whose in-band forward error correction is used where it has any. Without this method the caller
   * conceals with `audio/concealment`.
   * @returns the number of samples written
   */
  conceal?(out: Int16Array, samples: number, next?: Uint8Array): number;
}

export interface Encoder {
  readonly rateHz: number;
  /** Encodes `samples` into `out` from index 0. @returns bytes written */
  encode(samples: Int16Array, out: Uint8Array): number;
}
