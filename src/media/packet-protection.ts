import { readUint16, readUint32 } from '../big-endian.ts';
import { type RtpPacketView, rtpHeaderBytes } from '../rtp/packet.ts';
import { type SequenceNumber, sequenceDelta, toSequenceNumber } from '../rtp/sequence.ts';
import { SrtpContext } from '../rtp/srtp-context.ts';
import { notAuthentic, replayed } from '../rtp/srtp-transform.ts';
import { telephoneEventBytes } from '../rtp/telephone-event.ts';
import type { Datagram } from '../rtp/transport.ts';
import type { LegNegotiate } from './control.ts';

/** How long packets under keys that were given up are taken after the first plain one. */
export const formerKeysUs = 2_000_000;
/** How long plain packets are taken after SRTP was agreed, if no authentic one ends it before. */
export const formerPlainUs = 5_000_000;
/** A plain packet of a key press. */
const keyPressBytes = rtpHeaderBytes + telephoneEventBytes;
/** How far the numbers of a plain stream may be from its last one to be the same stream. */
const maxPlainSteps = 500;

/**
 * RTP and SRTP of one leg, through every change between them and of keys. A peer learns of a change later than we do,
 * so what it sends in the former form until then is taken too:
 *
 * - From RTP to SRTP: what goes on with the plain stream taken last, from its very source, until the first packet that
 *   is authentic under the new keys. Behind that nothing plain is believed any more.
 * - From SRTP to RTP: what is authentic under the former keys, until a while after the first plain packet.
 * - New keys: `SrtpReceiver` knows the former ones for a while.
 */
export class PacketProtection {
  #isSrtp = false;
  /** In use, or the last one that was. */
  #context: SrtpContext | undefined;
  #takesKeysUntilUs = Number.NEGATIVE_INFINITY;
  #takesPlainUntilUs = Number.NEGATIVE_INFINITY;
  #openedPlain = true;
  /** The plain audio packet that was taken last. */
  readonly #plain = {
    address: '',
    port: 0,
    ssrc: -1,
    sequenceNumber: toSequenceNumber(0),
    payloadType: -1,
    bytes: 0,
    varies: false,
  };

  /** Undefined: plain RTP. */
  get context(): SrtpContext | undefined {
    return this.#isSrtp ? this.#context : undefined;
  }

  /** Whether the packet that was opened last was sealed by the peer's keys. */
  get isAuthentic(): boolean {
    return !this.#openedPlain;
  }

  /** Undefined before SRTP was agreed. */
  get counters(): SrtpContext['counters'] | undefined {
    return this.#context?.counters;
  }

  /** SRTP was never agreed. */
  get isPlain(): boolean {
    return this.#context === undefined;
  }

  /**
   * The same keys again go on where they are: what they protected must not be protected once more.
   * @returns whether our stream is to go on under another SSRC
   * @throws CallreelError SDP_INVALID
   */
  agree(agreed: LegNegotiate['srtp'], nowUs: number): boolean {
    const wasSrtp = this.#isSrtp;
    if (!agreed) {
      this.#isSrtp = false;
      if (wasSrtp) this.#takesKeysUntilUs = Number.POSITIVE_INFINITY;
      return false;
    }
    let renew = !wasSrtp;
    if (this.#context) renew = this.#context.update(agreed) || renew;
    else this.#context = new SrtpContext(agreed);
    this.#isSrtp = true;
    if (!wasSrtp) this.#takesPlainUntilUs = nowUs + formerPlainUs;
    return renew;
  }

  /**
   * In place, before anything is believed of a packet; what is not authentic leaves no trace but a count.
   * @returns the plain packet; undefined: to be dropped
   */
  open(datagram: Datagram): Uint8Array | undefined {
    const { data, arrivalUs } = datagram;
    const context = this.#context;
    this.#openedPlain = true;
    if (!context || (!this.#isSrtp && arrivalUs > this.#takesKeysUntilUs)) return data;
    const bytes = context.tryRtp(data, arrivalUs);
    if (bytes >= 0) {
      this.#openedPlain = false;
      if (this.#isSrtp) this.#takesPlainUntilUs = Number.NEGATIVE_INFINITY;
      return data.subarray(0, bytes);
    }
    if (!this.#isSrtp && bytes !== replayed) return data;
    if (this.#isSrtp && bytes === notAuthentic && this.#goesOnPlain(datagram)) return data;
    context.countRefusal(bytes);
    return undefined;
  }

  /** RTCP under keys that were given up, opened in place; anything else as it is. */
  openFormerRtcp(data: Uint8Array, arrivalUs: number): Uint8Array {
    if (this.#isSrtp || !this.#context || arrivalUs > this.#takesKeysUntilUs) return data;
    const bytes = this.#context.tryRtcp(data, arrivalUs);
    return bytes < 0 ? data : data.subarray(0, bytes);
  }

  /** The packet of audio that was opened last is the leg's. */
  tookAudio({ data, arrivalUs, sourceAddress, sourcePort }: Datagram, packet: RtpPacketView): void {
    if (!this.#openedPlain) return;
    if (this.#takesKeysUntilUs === Number.POSITIVE_INFINITY)
      this.#takesKeysUntilUs = arrivalUs + formerKeysUs;
    const plain = this.#plain;
    const isSame = plain.payloadType === packet.payloadType;
    plain.varies = isSame && (plain.varies || plain.bytes !== data.length);
    plain.address = sourceAddress;
    plain.port = sourcePort;
    plain.ssrc = packet.ssrc;
    plain.sequenceNumber = packet.sequenceNumber;
    plain.payloadType = packet.payloadType;
    plain.bytes = data.length;
  }

  /** More of the plain audio was taken, as the last was, up to this number. */
  wentOn(sequenceNumber: SequenceNumber): void {
    this.#plain.sequenceNumber = sequenceNumber;
  }

  /** A tag makes a packet of a codec with a constant rate longer than its plain ones were. */
  #goesOnPlain({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): boolean {
    const plain = this.#plain;
    if (arrivalUs > this.#takesPlainUntilUs || data.length < rtpHeaderBytes) return false;
    if (sourcePort !== plain.port || sourceAddress !== plain.address) return false;
    if (readUint32(data, 8) !== plain.ssrc) return false;
    const isAudio = (data[1]! & 0x7f) === plain.payloadType;
    if (isAudio ? !plain.varies && data.length !== plain.bytes : data.length !== keyPressBytes) return false;
    const steps = sequenceDelta(toSequenceNumber(readUint16(data, 2)), plain.sequenceNumber);
    return Math.abs(steps) <= maxPlainSteps;
  }
}
