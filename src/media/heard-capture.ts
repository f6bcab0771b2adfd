import { createL16Encoder } from '../codec/l16.ts';
import type { RtpHeader } from '../rtp/packet.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import type { CapturedPacket, EvenStream, FastCapture, FastPathUser } from './capture-sink.ts';
import { type AudioRateHz, maxSlotSamples, slotUs } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';

export interface HeardCaptureOptions {
  /** Monotonic microseconds. */
  nowUs(): number;
  /** Takes what the leg is sent. The object is reused. */
  packet(packet: CapturedPacket): void;
  /** As of the capture; without it each packet is to be given. */
  goesOn?(last: EvenStream, user: FastPathUser): FastCapture | undefined;
}

/** Names the stream of samples; no sender of ours has it twice. */
const samplesSsrc = 0;

/**
 * What a leg is sent, for a recording of its call: the packets as they leave. Where somebody who must not be recorded
 * is among the voices in them, samples without that voice stand in their place.
 */
export class HeardCapture {
  /** The packets hold a voice that must not be recorded. */
  withheld = false;
  readonly #options: HeardCaptureOptions;
  readonly #packet: CapturedPacket = {
    codec: 'PCMU',
    payloadType: 0,
    clockRateHz: 8000,
    ssrc: 0,
    sequenceNumber: 0,
    rtpTime: 0,
    arrivalUs: 0,
    payload: new Uint8Array(0),
  };
  readonly #samples = new Uint8Array(2 * maxSlotSamples);

  constructor(options: HeardCaptureOptions) {
    this.#options = options;
  }

  /** When a packet that is sent now is heard. */
  nowUs(): number {
    return this.#options.nowUs();
  }

  /** Where packets are recorded that go on with the last one that was sent; undefined: each is to be given. */
  goesOn(last: Omit<EvenStream, 'arrivalUs'>, user: FastPathUser): FastCapture | undefined {
    if (this.withheld) return undefined;
    return this.#options.goesOn?.({ ...last, arrivalUs: this.#options.nowUs() }, user);
  }

  /**
   * A packet that was sent.
   * @param format of its payload type
   * @param slotAtUs the slot that it ends with; undefined for a packet of another origin, sent as it came
   */
  sent(
    header: Readonly<RtpHeader>,
    payload: Uint8Array,
    format: HeardFormat,
    slotAtUs: number | undefined,
  ): void {
    if (this.withheld || payload.length === 0) return;
    const { codec, clockRateHz } = format;
    const packet = this.#packet;
    const ticks = payloadDurationTicks(codec, clockRateHz, payload);
    const lengthUs = (ticks * 1_000_000) / clockRateHz;
    packet.codec = codec;
    packet.clockRateHz = clockRateHz;
    packet.payloadType = header.payloadType;
    packet.ssrc = header.ssrc;
    packet.sequenceNumber = header.sequenceNumber;
    packet.rtpTime = header.timestamp;
    packet.arrivalUs =
      slotAtUs === undefined ? this.#options.nowUs() : Math.round(slotAtUs + slotUs - lengthUs);
    packet.payload = payload;
    this.#options.packet(packet);
  }

  /** A slot in place of what was withheld. */
  sentSamples(samples: Int16Array, rateHz: AudioRateHz, slotAtUs: number): void {
    if (!this.withheld) return;
    const packet = this.#packet;
    const bytes = createL16Encoder(rateHz).encode(samples, this.#samples);
    const slot = Math.floor(slotAtUs / slotUs);
    packet.codec = 'L16';
    packet.clockRateHz = rateHz;
    packet.payloadType = 127;
    packet.ssrc = samplesSsrc;
    packet.sequenceNumber = slot & 0xffff;
    packet.rtpTime = (slot * samples.length) % 2 ** 32;
    packet.arrivalUs = slotAtUs;
    packet.payload = this.#samples.subarray(0, bytes);
    this.#options.packet(packet);
  }
}

export type HeardFormat = Pick<NegotiatedCodec, 'clockRateHz'> & { codec: CapturedPacket['codec'] };
