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
}

export interface Encoder {
  readonly rateHz: number;
  /** Encodes `samples` into `out` from index 0. @returns bytes written */
  encode(samples: Int16Array, out: Uint8Array): number;
}
