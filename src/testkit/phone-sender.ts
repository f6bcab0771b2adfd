import { resample } from '../audio/resample.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Encoder } from '../codec/codec.ts';
import { addToSequence, addToTimestamp, toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { keyPressPayloads } from '../rtp/telephone-event.ts';
import type { Impairment } from './impairment.ts';
import { impair, renumber } from './impairment.ts';
import type { LineCodec } from './line-codec.ts';
import { lineRateHz, packetPayloads, payloadTypeOf, ptimeMs } from './line-codec.ts';
import type { MediaPacket, ScheduledPacket, StreamPosition } from './media-packet.ts';

export interface SentPacket extends MediaPacket {
  /** Monotonic microseconds. */
  sentUs: number;
}

export interface PhoneSenderOptions {
  clock: Clock;
  start: StreamPosition;
  /** What is sent while nothing is played: nothing, or frames of silence. */
  keepAlive: 'silence' | undefined;
  /** Length of the packets; 20 ms where it is not set. */
  packetMs?: number | undefined;
  send(packet: MediaPacket): void;
}

interface PendingPacket {
  packet: MediaPacket;
  dueUs: number;
  batch: Batch;
}

/** What one call of `play` or `pressDigit` waits for. */
interface Batch {
  remaining: number;
  finish(completed: boolean): void;
}

/** After a stall of the process the backlog leaves as behind a stall of a network: in a burst, which sockets can hold. */
const maxPacketsPerWake = 10;
const backlogWakeMs = 5;

/**
 * The outgoing RTP of one call. Everything is planned at once on a grid of one slot a packet and leaves on absolute
 * deadlines, so a late timer delays one packet and shifts none. What is played next begins in the slot after what
 * is playing; a pause moves the RTP clock on by whole slots, as a real phone's does.
 */
export class PhoneSender {
  readonly sent: SentPacket[] = [];
  /** Taken away by an impairment, or due while muted. */
  readonly lost: MediaPacket[] = [];
  /** While true, packets fall due and are lost. */
  muted = false;
  telephoneEventPayloadType: number | undefined;
  /** As the peer wants it; the usual one where it is not set. */
  opusPayloadType: number | undefined;
  readonly #options: PhoneSenderOptions;
  readonly #clock: Clock;
  readonly #packetMs: number;
  #codec: LineCodec;
  #encoder: Encoder;
  #position: StreamPosition;
  /** When the packet at `#position` is due; undefined before the first. */
  #nextSlotUs: number | undefined;
  #talkspurtBegins = true;
  /** In the order of sending; those before `#sentPending` are gone. */
  #pending: PendingPacket[] = [];
  #sentPending = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(codec: LineCodec, telephoneEventPayloadType: number | undefined, options: PhoneSenderOptions) {
    this.#codec = codec;
    this.#encoder = codec.encoder();
    this.#packetMs = options.packetMs ?? ptimeMs;
    this.telephoneEventPayloadType = telephoneEventPayloadType;
    this.#options = options;
    this.#clock = options.clock;
    this.#position = options.start;
    if (options.keepAlive) this.#arm();
  }

  get codec(): LineCodec {
    return this.#codec;
  }

  /** As negotiated; a change takes effect with the next play. */
  set codec(codec: LineCodec) {
    if (codec !== this.#codec) this.#encoder = codec.encoder();
    this.#codec = codec;
  }

  /** @returns true once the last packet was sent, false when the stream was stopped before */
  play(samples: Int16Array, impairment: Impairment = {}, rateHz = lineRateHz): Promise<boolean> {
    return this.#plan(this.#audioPackets(this.#payloads(samples, rateHz)), impairment);
  }

  /**
   * The key's packets take the place of the audio, each in a slot of its own (RFC 4733).
   * @returns as `play`
   * @throws RangeError for what is no key
   */
  pressDigit(key: string, durationMs: number): Promise<boolean> {
    const payloadType = this.telephoneEventPayloadType;
    if (payloadType === undefined)
      throw new Error('the peer agreed to no telephone-event: no key can be pressed');
    const presses = keyPressPayloads(key, {
      durationMs,
      ptimeMs: this.#packetMs,
      clockRateHz: this.#codec.clockRateHz,
    });
    return this.#plan((position) =>
      presses.map(({ payload, marker, segmentTicks }, index) => ({
        ssrc: position.ssrc,
        sequenceNumber: addToSequence(toSequenceNumber(position.sequenceNumber), index),
        rtpTime: addToTimestamp(toRtpTimestamp(position.rtpTime), segmentTicks),
        payloadType,
        marker,
        payload,
        durationSamples: this.#packetTicks,
      })),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    const batches = new Set(this.#pending.slice(this.#sentPending).map((pending) => pending.batch));
    this.#pending = [];
    this.#sentPending = 0;
    for (const batch of batches) batch.finish(false);
  }

  get #packetTicks(): number {
    return (this.#codec.clockRateHz * this.#packetMs) / 1000;
  }

  #payloads(samples: Int16Array, rateHz: number): Uint8Array[] {
    const own = rateHz === this.#codec.rateHz ? samples : resample(samples, rateHz, this.#codec.rateHz);
    return packetPayloads(this.#codec, own, { encoder: this.#encoder, packetMs: this.#packetMs });
  }

  #audioPackets(payloads: readonly Uint8Array[]): (position: StreamPosition) => MediaPacket[] {
    return (position) =>
      payloads.map((payload, index) => ({
        ssrc: position.ssrc,
        sequenceNumber: addToSequence(toSequenceNumber(position.sequenceNumber), index),
        rtpTime: addToTimestamp(toRtpTimestamp(position.rtpTime), index * this.#packetTicks),
        payloadType: payloadTypeOf(this.#codec.name, this.opusPayloadType),
        marker: index === 0 && this.#talkspurtBegins,
        payload,
        durationSamples: this.#packetTicks,
      }));
  }

  #plan(build: (position: StreamPosition) => MediaPacket[], impairment: Impairment = {}): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    const startUs = this.#claimSlot();
    const packets = build(this.#position);
    if (packets.length === 0) return Promise.resolve(true);
    const renumbered = renumber(packets, impairment);
    const { send, lost, durationUs } = impair(renumbered, this.#codec.clockRateHz, impairment);
    this.#advance(renumbered, packets, startUs + durationUs);
    this.lost.push(...lost);
    return this.#enqueue(send, startUs);
  }

  /**
   * The due time of the next packet: on the grid, skipping the slots nobody used. After a pause it is one to come:
   * what is in it was not said before it was asked for.
   */
  #claimSlot(): number {
    const nowUs = this.#clock.monotonicUs();
    this.#nextSlotUs ??= nowUs;
    const slotUs = this.#packetMs * 1000;
    const followsOn = nowUs - this.#nextSlotUs < slotUs;
    if (followsOn || this.#options.keepAlive) return this.#nextSlotUs;
    const idleSlots = Math.ceil((nowUs - this.#nextSlotUs) / slotUs);
    this.#nextSlotUs += idleSlots * slotUs;
    const rtpTime = addToTimestamp(toRtpTimestamp(this.#position.rtpTime), idleSlots * this.#packetTicks);
    this.#position = { ...this.#position, rtpTime };
    this.#talkspurtBegins = true;
    return this.#nextSlotUs;
  }

  /** The stream goes on with the numbers of the last packet; the RTP clock moved on by all of them. */
  #advance(renumbered: readonly MediaPacket[], original: readonly MediaPacket[], nextSlotUs: number): void {
    const last = renumbered.at(-1)!;
    const shift = last.rtpTime - original.at(-1)!.rtpTime;
    const startRtpTime = this.#position.rtpTime;
    this.#position = {
      ssrc: last.ssrc,
      sequenceNumber: addToSequence(toSequenceNumber(last.sequenceNumber), 1),
      rtpTime: toRtpTimestamp(startRtpTime + shift + original.length * this.#packetTicks),
    };
    this.#nextSlotUs = nextSlotUs;
    this.#talkspurtBegins = false;
  }

  #enqueue(send: readonly ScheduledPacket[], startUs: number): Promise<boolean> {
    if (send.length === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const batch = { remaining: send.length, finish: resolve };
      this.#pending.splice(0, this.#sentPending);
      this.#sentPending = 0;
      for (const { packet, sendOffsetUs } of send)
        this.#pending.push({ packet, dueUs: startUs + sendOffsetUs, batch });
      // Only a jittered tail reaches into what was planned behind it; sorting what is sorted costs little.
      this.#pending.sort((a, b) => a.dueUs - b.dueUs);
      this.#arm();
    });
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    const dueUs =
      this.#pending[this.#sentPending]?.dueUs ?? (this.#options.keepAlive ? this.#nextSlotUs : undefined);
    if (dueUs === undefined && !this.#options.keepAlive) return;
    const delayMs = Math.max(0, Math.ceil(((dueUs ?? 0) - this.#clock.monotonicUs()) / 1000));
    this.#timer = this.#clock.after(delayMs, () => this.#wake());
  }

  /** @param backlogSinceUs of a wake for a backlog: when the one before was. On a busy machine there are fewer of them. */
  #wake(backlogSinceUs?: number): void {
    const wokenUs = this.#clock.monotonicUs();
    const wakes = backlogSinceUs === undefined ? 1 : (wokenUs - backlogSinceUs) / 1000 / backlogWakeMs;
    const most = Math.max(1, Math.floor(wakes)) * maxPacketsPerWake;
    for (let packets = 0; packets < most; packets++) {
      const nowUs = this.#clock.monotonicUs();
      if (this.#sentPending === this.#pending.length) this.#keepAlive(nowUs);
      const next = this.#pending[this.#sentPending];
      if (this.#stopped || !next || next.dueUs > nowUs) {
        this.#arm();
        return;
      }
      this.#sentPending++;
      this.#emit(next, nowUs);
    }
    this.#timer?.cancel();
    this.#timer = this.#clock.after(backlogWakeMs, () => this.#wake(wokenUs));
  }

  #keepAlive(nowUs: number): void {
    if (this.#options.keepAlive === undefined || nowUs < (this.#nextSlotUs ?? nowUs)) return;
    const silence = new Int16Array((this.#codec.rateHz * this.#packetMs) / 1000);
    void this.#plan(this.#audioPackets(this.#payloads(silence, this.#codec.rateHz)));
  }

  #emit({ packet, batch }: PendingPacket, nowUs: number): void {
    if (this.muted) this.lost.push(packet);
    else {
      this.#options.send(packet);
      this.sent.push({ ...packet, sentUs: nowUs });
    }
    if (--batch.remaining === 0) batch.finish(true);
  }
}
