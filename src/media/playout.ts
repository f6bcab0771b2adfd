import type { Decoder } from '../codec/codec.ts';
import type { SequenceNumber } from '../rtp/sequence.ts';
import { type AudioRateHz, audioRatesHz } from './codec-table.ts';
import { JitterBuffer, type LentFrames } from './jitter-buffer.ts';
import type { BufferedPacket } from './packet-slots.ts';
import type { PartySlot } from './room-mix.ts';

/** A stream's clock, and the rate of its decoded samples. */
interface PlayoutFormat {
  clockRateHz: number;
  rateHz: AudioRateHz;
}

/** Of noise before any audio. */
const firstFormat: PlayoutFormat = { clockRateHz: audioRatesHz[0], rateHz: audioRatesHz[0] };

interface Buffer extends PlayoutFormat {
  readonly jitter: JitterBuffer;
}

export interface PlayoutCounters {
  latePackets: number;
  concealedMs: number;
}

/**
 * One leg's audio for live playout, slot by slot, through changes of codec: packets of another clock or rate go into a
 * jitter buffer of their own, and the former one plays on until that has something to play.
 */
export class Playout implements PartySlot {
  /** This slot; undefined where nothing was heard. Valid until the slot after the next. */
  frame: Int16Array | undefined;
  previousFrame: Int16Array | undefined;
  rateHz: AudioRateHz = audioRatesHz[0];
  /** None before the first packet: what is relayed is not buffered. */
  #buffer: Buffer | undefined;
  #former: Buffer | undefined;
  #lateBefore = 0;
  #concealedMsBefore = 0;

  get active(): boolean {
    return this.#buffer?.jitter.active === true || this.#former !== undefined;
  }

  /** Nothing is heard, and nothing was in the slot before. */
  get isIdle(): boolean {
    return this.frame === undefined && this.previousFrame === undefined && !this.active;
  }

  get counters(): PlayoutCounters {
    const [latePackets, concealedMs] = [this.#lateBefore, this.#concealedMsBefore];
    if (!this.#buffer) return { latePackets, concealedMs };
    const { jitter, rateHz } = this.#buffer;
    return {
      latePackets: latePackets + jitter.counters.latePackets,
      concealedMs: concealedMs + (jitter.counters.concealedSamples * 1000) / rateHz,
    };
  }

  /** Forgets what waits, and what was heard. */
  clear(): void {
    this.#former = undefined;
    this.frame = undefined;
    this.previousFrame = undefined;
    this.#buffer?.jitter.clear();
  }

  put(packet: BufferedPacket, format: PlayoutFormat, decoder: Decoder): void {
    this.#bufferFor(format).jitter.put(packet, decoder);
  }

  /** Comfort noise of the stream that runs. */
  putNoise(packet: BufferedPacket): void {
    this.#buffer ??= newBuffer(firstFormat);
    this.#buffer.jitter.put(packet, undefined);
  }

  /** The next slot, as `frame` and `rateHz`. */
  take(): void {
    // A relayed party's packets do not come here.
    if (!this.active && this.frame === undefined) {
      this.previousFrame = undefined;
      this.rateHz = (this.#buffer ?? firstFormat).rateHz;
      return;
    }
    const previous = this.frame;
    const { rateHz: previousRateHz } = this;
    this.frame = this.#buffer && this.#takeFrom(this.#buffer);
    if (this.frame) this.#former = undefined;
    else if (this.#former) {
      this.frame = this.#takeFrom(this.#former);
      if (!this.frame && !this.#former.jitter.active) this.#former = undefined;
    }
    this.previousFrame = previousRateHz === this.rateHz ? previous : undefined;
  }

  /** As `JitterBuffer.lend`, while slots are the frames of one stream. */
  lend(
    { clockRateHz, rateHz, decoder }: PlayoutFormat & { decoder: Decoder },
    last: SequenceNumber,
    most: number,
    take: (payload: Uint8Array) => void,
  ): number {
    const buffer = this.#buffer;
    if (!buffer || this.#former || !this.frame || rateHz !== this.rateHz) return 0;
    if (clockRateHz !== buffer.clockRateHz || rateHz !== buffer.rateHz) return 0;
    return buffer.jitter.lend(decoder, last, most, take);
  }

  takeBack(lent: LentFrames): void {
    const { jitter } = this.#buffer!;
    jitter.takeBack(lent);
    if (lent.frames === 0) return;
    this.previousFrame = lent.frames === 1 ? this.frame : jitter.frameBefore;
    this.frame = jitter.lastFrame;
  }

  #takeFrom({ jitter, rateHz }: Buffer): Int16Array | undefined {
    this.rateHz = rateHz;
    return jitter.takeFrame();
  }

  #bufferFor(format: PlayoutFormat): Buffer {
    const buffer = this.#buffer;
    if (buffer?.clockRateHz === format.clockRateHz && buffer.rateHz === format.rateHz) return buffer;
    const { latePackets, concealedMs } = this.counters;
    this.#lateBefore = latePackets;
    this.#concealedMsBefore = concealedMs;
    this.#former = buffer?.jitter.active ? buffer : undefined;
    this.#buffer = newBuffer(format);
    return this.#buffer;
  }
}

function newBuffer({ clockRateHz, rateHz }: PlayoutFormat): Buffer {
  return { clockRateHz, rateHz, jitter: new JitterBuffer({ clockRateHz, rateHz }) };
}
