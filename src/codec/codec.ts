/**
 * Codecs the product knows by name; each has its own file beside this one. `CN` is comfort noise (RFC 3389), which
 * stands between the packets of another codec and has neither decoder nor encoder; `L16` is for the spool alone.
 */
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'OPUS' | 'CN' | 'L16';

/** Payloads as long as each other, in memory one behind the other. */
export interface PayloadSeries {
  /** From the first one on. */
  bytes: Uint8Array;
  count: number;
  payloadBytes: number;
  /** From the beginning of one to that of the next. */
  strideBytes: number;
}

/** Turns one payload into samples. Stateful codecs keep their state here; one decoder per stream. */
export interface Decoder {
  readonly rateHz: number;
  /**
   * Decodes `payload` into `out` from index 0.
   * @returns the number of samples written, mono, 16 bit, at `rateHz`
   */
  decode(payload: Uint8Array, out: Int16Array): number;
  /** As `decode`, of many payloads at once, into `out` from `outOffset`; for a codec that remembers nothing. */
  decodeSeries?(payloads: PayloadSeries, out: Int16Array, outOffset: number): void;
  /**
   * Stands in for a lost packet of `samples` samples, where the codec itself knows how (Opus); `next` is the payload
   * behind the loss, whose in-band forward error correction is used where it has any. Without this method the caller
   * conceals with `audio/concealment`.
   * @returns the number of samples written
   */
  conceal?(out: Int16Array, samples: number, next?: Uint8Array): number;
  /** Frees what the garbage collector would free later; where it is missing there is nothing to free. */
  close?(): void;
}

export interface Encoder {
  readonly rateHz: number;
  /** Encodes `samples` into `out` from index 0. @returns bytes written, 0 where nothing needs to be sent */
  encode(samples: Int16Array, out: Uint8Array): number;
  /**
   * Goes on behind what `from` encoded, as `from` itself would: whoever was sent that hears no seam. Both are of one
   * format. Where it is missing nothing is remembered.
   */
  copyState?(from: Encoder): void;
  /**
   * As `encode`, of samples that another encoder made `payload` of: wherever a code of that is as good as its own it is
   * taken, until both encoders say the same.
   */
  encodeTowards?(samples: Int16Array, payload: Uint8Array, out: Uint8Array): number;
  /** Frees what the garbage collector would free later; where it is missing there is nothing to free. */
  close?(): void;
}
