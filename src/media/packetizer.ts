import { maxPayloadBytes, slotMs } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';
import { OwnEncoding } from './own-encoding.ts';

/** Where finished payloads go. `ticks` is their length in RTP time. */
export interface PayloadSink {
  payload(bytes: Uint8Array, ticks: number): void;
  /** So much time with nothing to send in it: discontinuous transmission. */
  pause(ticks: number): void;
}

/**
 * Makes payloads of the agreed length out of slots of 20 ms: of samples, or of bytes encoded elsewhere. Whatever was
 * begun is part of the next payload.
 */
export interface Packetizer {
  readonly encoding: OwnEncoding;
  /** Length of what was begun, in RTP time. */
  readonly pendingTicks: number;
  pushSamples(slot: Int16Array, sink: PayloadSink): void;
  /** A slot, encoded already: only where `takesEncoded`. */
  pushEncoded(slot: Uint8Array, sink: PayloadSink): void;
  readonly takesEncoded: boolean;
  /** What was begun, as a shorter payload. */
  flush(sink: PayloadSink): void;
  drop(): void;
}

/** @throws CallreelError NO_COMMON_CODEC */
export function packetizerFor(format: NegotiatedCodec, ptimeMs: number): Packetizer {
  return format.codec === 'OPUS'
    ? new FramePacketizer(format, opusPtimeMs(ptimeMs))
    : new BytePacketizer(format, ptimeMs);
}

/** The longest Opus frame that is no longer than asked for (RFC 6716 section 2.1.4). */
function opusPtimeMs(ptimeMs: number): number {
  return [60, 40, 20].find((frameMs) => frameMs <= ptimeMs) ?? 10;
}

const sharedSlots = new Map<number, Uint8Array>();

/** Of all legs: a slot is sent, or copied, before another one is encoded. */
function sharedSlot(bytes: number): Uint8Array {
  let slot = sharedSlots.get(bytes);
  if (!slot) sharedSlots.set(bytes, (slot = new Uint8Array(bytes)));
  return slot;
}

/** G.711 and G.722: a stream of bytes that may be cut anywhere, one tick of RTP time for each byte. */
class BytePacketizer implements Packetizer {
  readonly encoding: OwnEncoding;
  readonly takesEncoded = true;
  readonly #slot: Uint8Array;
  readonly #payloadBytes: number;
  /** What was begun; none where every slot is a payload. */
  #pending: Uint8Array | undefined;
  #pendingBytes = 0;

  constructor(format: NegotiatedCodec, ptimeMs: number) {
    this.encoding = new OwnEncoding(format);
    this.#slot = sharedSlot((format.clockRateHz * slotMs) / 1000);
    this.#payloadBytes = (format.clockRateHz * ptimeMs) / 1000;
  }

  get pendingTicks(): number {
    return this.#pendingBytes;
  }

  pushSamples(slot: Int16Array, sink: PayloadSink): void {
    const bytes = this.encoding.encode(slot, this.#slot);
    this.pushEncoded(bytes === this.#slot.length ? this.#slot : this.#slot.subarray(0, bytes), sink);
  }

  pushEncoded(slot: Uint8Array, sink: PayloadSink): void {
    const length = this.#payloadBytes;
    if (slot.length === length && this.#pendingBytes === 0) {
      sink.payload(slot, length);
      return;
    }
    const pending = (this.#pending ??= new Uint8Array(length));
    for (let from = 0; from < slot.length; ) {
      const to = Math.min(slot.length, from + length - this.#pendingBytes);
      pending.set(slot.subarray(from, to), this.#pendingBytes);
      this.#pendingBytes += to - from;
      from = to;
      if (this.#pendingBytes < length) return;
      this.#pendingBytes = 0;
      sink.payload(pending, length);
    }
  }

  flush(sink: PayloadSink): void {
    const bytes = this.#pendingBytes;
    this.#pendingBytes = 0;
    if (bytes > 0) sink.payload(this.#pending!.subarray(0, bytes), bytes);
  }

  drop(): void {
    this.#pendingBytes = 0;
  }
}

/** Opus: each payload is encoded as a whole. */
class FramePacketizer implements Packetizer {
  readonly encoding: OwnEncoding;
  readonly takesEncoded: boolean;
  readonly #ticksPerSample: number;
  readonly #slotTicks: number;
  readonly #payload = new Uint8Array(maxPayloadBytes);
  readonly #samples: Int16Array;
  #pendingSamples = 0;

  constructor(format: NegotiatedCodec, ptimeMs: number) {
    this.encoding = new OwnEncoding(format);
    const { rateHz } = this.encoding;
    this.takesEncoded = ptimeMs === slotMs;
    this.#ticksPerSample = format.clockRateHz / rateHz;
    this.#slotTicks = (format.clockRateHz * slotMs) / 1000;
    this.#samples = new Int16Array((rateHz * ptimeMs) / 1000);
  }

  get pendingTicks(): number {
    return this.#pendingSamples * this.#ticksPerSample;
  }

  pushSamples(slot: Int16Array, sink: PayloadSink): void {
    const { length } = this.#samples;
    for (let from = 0; from < slot.length; ) {
      const to = Math.min(slot.length, from + length - this.#pendingSamples);
      this.#samples.set(slot.subarray(from, to), this.#pendingSamples);
      this.#pendingSamples += to - from;
      from = to;
      if (this.#pendingSamples < length) return;
      this.#encode(this.#samples, sink);
    }
  }

  pushEncoded(slot: Uint8Array, sink: PayloadSink): void {
    if (slot.length > 0) sink.payload(slot, this.#slotTicks);
    else sink.pause(this.#slotTicks);
  }

  flush(sink: PayloadSink): void {
    if (this.#pendingSamples > 0) this.#encode(this.#samples.subarray(0, this.#pendingSamples), sink);
  }

  drop(): void {
    this.#pendingSamples = 0;
  }

  #encode(samples: Int16Array, sink: PayloadSink): void {
    this.#pendingSamples = 0;
    const ticks = samples.length * this.#ticksPerSample;
    const bytes = this.encoding.encode(samples, this.#payload);
    if (bytes > 0) sink.payload(this.#payload.subarray(0, bytes), ticks);
    else sink.pause(ticks);
  }
}
