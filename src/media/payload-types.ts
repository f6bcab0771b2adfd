import type { RtpPacketView } from '../rtp/packet.ts';
import {
  type RtpTimestamp,
  type SequenceNumber,
  sequenceDelta,
  toRtpTimestamp,
  toSequenceNumber,
} from '../rtp/sequence.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { decoderFor, isStateless } from './codec-table.ts';
import type { LegNegotiate } from './control.ts';
import { eventClocks, type ReceiveFormat, receiveFormats } from './receive-formats.ts';
import { isOfFormerMeaning, type LastPacket, type PayloadMeaning } from './reused-payload-type.ts';

/** How long packets of a former agreement are taken after the first one of the new agreement. */
export const formerTypesUs = 2_000_000;

/** By number: a list of all up to a dynamic one has mostly holes. */
type Meanings = ReadonlyMap<number, PayloadMeaning>;
type Agreement = Pick<LegNegotiate, 'receive' | 'comfortNoise' | 'telephoneEvent' | 'otherTelephoneEvents'>;

const noMeanings: Meanings = new Map();

/**
 * What each payload type of a leg means: audio, comfort noise, key presses. A peer learns of a new agreement later
 * than we do and sends by the old one until then, so that one holds beside the new one, for the numbers that this
 * leaves free, until its first packet and a while longer (RFC 3264 section 8.3.1). A number that means something else
 * now is decided packet by packet, for `formerTypesUs` at most.
 */
export class PayloadTypes {
  #current = noMeanings;
  #former = noMeanings;
  /** Numbers that the agreement before did not have, or for something else. */
  #new: number[] = [];
  #formerUntilUs = Number.POSITIVE_INFINITY;
  /** Of the numbers that mean something else now. */
  #reusedUntilUs = 0;
  /** The current agreement has payload types that the one before had not. */
  #hasNew = false;
  /** Where the stream was first taken by a number's new meaning. */
  #switchSsrc = -1;
  #switchedAt = toSequenceNumber(0);
  /** Without those of a number's new meaning, while the former one may still come. */
  readonly #last: LastPacket = {
    ssrc: -1,
    sequenceNumber: toSequenceNumber(0),
    rtpTime: toRtpTimestamp(0),
    ticks: 0,
    clockRateHz: 8000,
  };

  /**
   * A later agreement; the same one again changes nothing.
   * @returns what puts it in force
   * @throws CallreelError NO_COMMON_CODEC
   */
  prepare(agreement: Agreement): (nowUs: number) => void {
    const before: (ReceiveFormat | undefined)[] = [];
    for (const [payloadType, { format }] of this.#current) before[payloadType] = format;
    const agreed = new Map<number, PayloadMeaning>();
    for (const [payloadType, format] of receiveFormats(agreement, before).entries())
      if (format) agreed.set(payloadType, { format, clockRateHz: format.clockRateHz });
    for (const [payloadType, clockRateHz] of eventClocks(agreement).entries())
      if (clockRateHz !== undefined && !agreed.has(payloadType))
        agreed.set(payloadType, { format: undefined, clockRateHz });
    return (nowUs) => this.#agree(agreed, nowUs);
  }

  /** What a packet is; undefined: nothing that was agreed. */
  meaningOf(packet: RtpPacketView, arrivalUs: number): PayloadMeaning | undefined {
    const { payloadType } = packet;
    const current = this.#current.get(payloadType);
    const former = this.#former.get(payloadType);
    if (!former || arrivalUs > this.#formerUntilUs) return current;
    if (!current) return former;
    if (arrivalUs > this.#reusedUntilUs || this.#isPastSwitch(packet)) return current;
    return isOfFormerMeaning(packet, this.#last, former, current) ? former : current;
  }

  /** A packet whose meaning was asked for is the leg's. */
  took(packet: RtpPacketView, taken: PayloadMeaning, arrivalUs: number): void {
    if (this.#former.size > 0 && this.#noteSwitch(packet, taken, arrivalUs)) return;
    const { format, clockRateHz } = taken;
    if (!format?.decoder) return;
    const last = this.#last;
    last.ssrc = packet.ssrc;
    last.sequenceNumber = packet.sequenceNumber;
    last.rtpTime = packet.timestamp;
    last.clockRateHz = clockRateHz;
    last.ticks = payloadDurationTicks(format.codec, clockRateHz, packet.payload());
  }

  /** The last packet of audio. */
  get lastAudio(): Readonly<LastPacket> {
    return this.#last;
  }

  /** Packets of a former agreement may still come. */
  get isChanging(): boolean {
    return this.#former.size > 0;
  }

  /** More of the audio was taken, as the last was, up to this packet. */
  wentOn(sequenceNumber: SequenceNumber, rtpTime: RtpTimestamp): void {
    this.#last.sequenceNumber = sequenceNumber;
    this.#last.rtpTime = rtpTime;
  }

  /** Decoders forget what they decoded. */
  renewDecoders(): void {
    for (const { format } of [...this.#current.values(), ...this.#former.values()]) {
      if (!format?.decoder || isStateless(format.codec)) continue;
      format.decoder.close?.();
      format.decoder = decoderFor(format);
    }
  }

  /** @returns whether the packet is of a number's new meaning */
  #noteSwitch(packet: RtpPacketView, taken: PayloadMeaning, arrivalUs: number): boolean {
    if (arrivalUs > this.#formerUntilUs) this.#former = noMeanings;
    const { payloadType } = packet;
    if (taken !== this.#current.get(payloadType)) return false;
    const isSign = this.#hasNew ? this.#new.includes(payloadType) : taken.format?.decoder;
    if (isSign) this.#formerUntilUs = Math.min(this.#formerUntilUs, arrivalUs + formerTypesUs);
    if (!this.#former.has(payloadType)) return false;
    if (!this.#isPastSwitch(packet)) {
      this.#switchSsrc = packet.ssrc;
      this.#switchedAt = packet.sequenceNumber;
    }
    return true;
  }

  #isPastSwitch({ ssrc, sequenceNumber }: RtpPacketView): boolean {
    return ssrc === this.#switchSsrc && sequenceDelta(sequenceNumber, this.#switchedAt) >= 0;
  }

  #agree(agreed: Meanings, nowUs: number): void {
    const before = this.#current;
    this.#current = agreed;
    const numbers = new Set([...agreed.keys(), ...before.keys()]);
    const changed = [...numbers].filter((number) => !isSame(agreed.get(number), before.get(number)));
    if (changed.length === 0) return;
    const former = new Map(nowUs > this.#formerUntilUs ? noMeanings : this.#former);
    for (const number of changed) {
      const meaning = before.get(number);
      if (meaning) former.set(number, meaning);
    }
    for (const [number, now] of agreed) if (isSame(now, former.get(number))) former.delete(number);
    this.#former = former.size > 0 ? former : noMeanings;
    this.#new = changed.filter((number) => agreed.has(number));
    this.#hasNew = this.#new.length > 0;
    this.#formerUntilUs = Number.POSITIVE_INFINITY;
    this.#reusedUntilUs = nowUs + formerTypesUs;
    this.#switchSsrc = -1;
  }
}

function isSame(a: PayloadMeaning | undefined, b: PayloadMeaning | undefined): boolean {
  return a?.format?.codec === b?.format?.codec && a?.clockRateHz === b?.clockRateHz;
}
