import type { PayloadSeries } from '../codec/codec.ts';
import type { FormatRecord } from '../spool/records.ts';
import type { PlacedPacket } from './placed-packets.ts';
import { StreamDecoder } from './stream-decoder.ts';

/**
 * Codecs remember what came before. So that a part of an hour's recording need not be decoded from its beginning, the
 * decoder begins anew at every whole `sectionSeconds` of the room's clock, warmed up by the audio before; and does so
 * however much is read, so that any part is the same as in the whole.
 */
export const sectionSeconds = 40;

/**
 * RFC 7845 calls 80 ms of Opus enough for the ear. On speech, a decoder that began 3 s before gave the very samples of
 * one that began at the start; so does G.722.
 */
const warmUpSeconds = 4;

/** Decodes a track's packets in the order of their positions. */
export class TrackDecoder {
  readonly #rateHz: number;
  readonly #sectionSamples: number;
  readonly #warmUpSamples: number;
  readonly #firstNeeded: number;
  readonly #conceals: boolean;
  #section: number;
  #current: StreamDecoder | undefined;
  /** The decoder of the next section, while it warms up. */
  #next: StreamDecoder | undefined;
  #endSample = 0;

  /** @param fromSample packets that begin behind it are decoded as they are in the whole */
  constructor({ rateHz, conceals }: { rateHz: number; conceals: boolean }, fromSample: number) {
    this.#rateHz = rateHz;
    this.#conceals = conceals;
    this.#sectionSamples = sectionSeconds * rateHz;
    this.#warmUpSamples = warmUpSeconds * rateHz;
    const section = Math.max(0, Math.floor(fromSample / this.#sectionSamples));
    this.#section = section - 1;
    this.#firstNeeded = section * this.#sectionSamples - this.#warmUpSamples;
  }

  /** @returns the decoder that holds the packet's samples; undefined where they are not needed */
  decode(packet: PlacedPacket): StreamDecoder | undefined {
    const { atSample } = packet;
    if (atSample < this.#firstNeeded) return undefined;
    const section = Math.floor(atSample / this.#sectionSamples);
    if (section !== this.#section) {
      const follows = section === this.#section + 1;
      this.#replace(follows ? this.#next : undefined);
      if (!follows) this.#next?.close();
      this.#next = undefined;
      this.#section = section;
    }
    const lost = this.#conceals ? packet.lostSamples : 0;
    const isContiguous = atSample === this.#endSample;
    this.#endSample = atSample + packet.durationSamples;
    if (atSample >= (section + 1) * this.#sectionSamples - this.#warmUpSamples) {
      this.#next = this.#fit(this.#next, packet);
      this.#next.decode(packet, lost, isContiguous);
    }
    if (atSample < this.#firstNeeded + this.#warmUpSamples) return undefined;
    this.#current = this.#fit(this.#current, packet);
    this.#current.decode(packet, lost, isContiguous);
    return this.#current;
  }

  /**
   * Decodes what follows the packet decoded last without a loss, at `atSample`, as far as that can be done at once.
   * @param payloads each as many samples as bytes, of `format`
   * @param out gets the samples from `at` on
   * @returns how many of them
   */
  decodeSeries(
    atSample: number,
    payloads: PayloadSeries,
    format: FormatRecord,
    out: Int16Array,
    at: number,
  ): number {
    const sectionEnd = (this.#section + 1) * this.#sectionSamples;
    const warmUp = sectionEnd - this.#warmUpSamples;
    const isWarmingUp = atSample >= warmUp;
    const { payloadBytes } = payloads;
    const border = isWarmingUp ? sectionEnd : warmUp;
    const count = Math.min(payloads.count, Math.ceil((border - atSample) / payloadBytes));
    const isOpen = atSample === this.#endSample && atSample >= this.#firstNeeded + this.#warmUpSamples;
    if (count <= 0 || !isOpen || !this.#current?.decodesSeries(format)) return 0;
    if (isWarmingUp && !this.#next?.decodesSeries(format)) return 0;
    this.#current.decodeSeries({ ...payloads, count }, out, at);
    const samples = out.subarray(at, at + count * payloadBytes);
    this.#current.remember(samples);
    if (isWarmingUp) this.#next?.remember(samples);
    this.#endSample = atSample + samples.length;
    return count;
  }

  close(): void {
    this.#replace(undefined);
    this.#next?.close();
    this.#next = undefined;
  }

  #replace(decoder: StreamDecoder | undefined): void {
    this.#current?.close();
    this.#current = decoder;
  }

  /** The same decoder as long as the stream is the same. */
  #fit(decoder: StreamDecoder | undefined, { format }: PlacedPacket): StreamDecoder {
    if (decoder?.goesOn(format)) return decoder;
    decoder?.close();
    return new StreamDecoder(format, this.#rateHz);
  }
}
