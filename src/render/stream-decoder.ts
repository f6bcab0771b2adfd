import { Concealer } from '../audio/concealment.ts';
import type { Decoder, PayloadSeries } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import type { FormatRecord } from '../spool/records.ts';
import type { PlacedPacket } from './placed-packets.ts';

/** No packet of any codec decodes to more (120 ms of Opus at 48 kHz); longer G.711 payloads get a larger buffer. */
const usualPacketSamples = 5760;
/** Of all streams of a thread: what was decoded is read before anything else is. */
let decodedSamples = new Int16Array(usualPacketSamples);
const none: Int16Array = new Int16Array(0);
/** Packets are as long as those before, as a rule. */
let lastPart = none;

/**
 * The packets of one format, in order, as samples; and what stands in for those that were lost between them. Every
 * received sample is given as it was decoded: a concealed loss is blended into both its neighbours, not they into it.
 */
export class StreamDecoder {
  /** With which it began. */
  readonly format: FormatRecord;
  readonly #decoder: Decoder;
  readonly #concealer: Concealer | undefined;
  readonly #rateHz: number;
  #concealed = none;

  /** Of the packet decoded last: its samples, and those of the loss before it. Valid until the next of any stream. */
  samples = none;
  lostSamples = this.#concealed;

  /** @param rateHz of the recording; positions count at it, samples come at `fromHz` */
  constructor(format: FormatRecord, rateHz: number) {
    this.format = format;
    this.#rateHz = rateHz;
    this.#decoder = createDecoder(format.codec, format.clockRateHz, rateHz);
    if (!this.#decoder.conceal) this.#concealer = new Concealer(this.#decoder.rateHz);
  }

  get fromHz(): number {
    return this.#decoder.rateHz;
  }

  /**
   * Makes exactly as many samples as the packet's place is long, whatever its payload decodes to; where its clock is
   * followed, as many as its sender says.
   * @param lostSamples how long the loss before the packet is that is to be concealed, at the recording's rate
   * @param isContiguous nothing else lies between the packet and the one before
   */
  decode(packet: PlacedPacket, lostSamples: number, isContiguous: boolean): void {
    const { payload } = packet;
    const { exact, previousEnd, durationTicks, format } = packet;
    let wanted = this.#samplesOf(packet.durationSamples);
    let lost = this.#samplesOf(lostSamples);
    if (exact) {
      wanted = Math.round((durationTicks * this.fromHz) / format.clockRateHz);
      const stretched = (exact.toSample - exact.fromSample) / wanted;
      if (lostSamples > 0) lost = Math.max(0, Math.round((exact.fromSample - previousEnd) / stretched));
    }
    this.#conceal(lost, payload);
    const room = Math.max(wanted, payload.length * 2);
    if (decodedSamples.length < room) decodedSamples = new Int16Array(room);
    const made = this.#decoder.decode(payload, decodedSamples);
    if (made < wanted) decodedSamples.fill(0, made, wanted);
    this.samples = decodedPart(wanted);
    if (!this.#concealer) return;
    if (lostSamples > 0) this.#concealer.lead(this.lostSamples, this.samples);
    else if (!isContiguous) this.#concealer.reset();
    this.#concealer.received(this.samples);
  }

  /** Whether packets of `format` are of its stream. */
  goesOn(format: FormatRecord): boolean {
    return this.format === format || isSameStream(this.format, format);
  }

  /** Whether packets of `format` that only go on can be decoded many at once: of its stream, and the recording's rate. */
  decodesSeries(format: FormatRecord): boolean {
    return this.#decoder.decodeSeries !== undefined && this.fromHz === this.#rateHz && this.goesOn(format);
  }

  /** As `decode`, of what goes on behind the packet decoded last, without a loss; into `out` from `at`. */
  decodeSeries(payloads: PayloadSeries, out: Int16Array, at: number): void {
    this.#decoder.decodeSeries?.(payloads, out, at);
  }

  /** Those were the newest samples. */
  remember(samples: Int16Array): void {
    this.#concealer?.received(samples);
  }

  close(): void {
    this.#decoder.close?.();
  }

  #samplesOf(recordingSamples: number): number {
    return Math.round((recordingSamples * this.fromHz) / this.#rateHz);
  }

  #conceal(samples: number, next: Uint8Array): void {
    this.lostSamples = none;
    if (samples === 0) return;
    if (this.#concealed.length < samples) this.#concealed = new Int16Array(samples);
    this.lostSamples = this.#concealed.subarray(0, samples);
    if (this.#concealer) {
      this.#concealer.conceal(this.lostSamples);
      return;
    }
    const made = this.#decoder.conceal?.(this.lostSamples, samples, next) ?? 0;
    this.lostSamples.fill(0, made);
  }
}

function decodedPart(samples: number): Int16Array {
  if (lastPart.length !== samples || lastPart.buffer !== decodedSamples.buffer)
    lastPart = decodedSamples.subarray(0, samples);
  return lastPart;
}

/** One decoder goes on from one to the other. */
export function isSameStream(one: FormatRecord, other: FormatRecord): boolean {
  return one.codec === other.codec && one.clockRateHz === other.clockRateHz && one.ssrc === other.ssrc;
}
