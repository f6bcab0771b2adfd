import type { RtpPacketView } from '../rtp/packet.ts';
import { type RtpTimestamp, type SequenceNumber, sequenceDelta, timestampDelta } from '../rtp/sequence.ts';
import { telephoneEventBytes } from '../rtp/telephone-event.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import type { ReceiveFormat } from './receive-formats.ts';

/** What packets of one payload type are. */
export interface PayloadMeaning {
  /** Undefined: key presses. */
  readonly format: ReceiveFormat | undefined;
  readonly clockRateHz: number;
}

/** The last audio packet that was taken. */
export interface LastPacket {
  ssrc: number;
  sequenceNumber: SequenceNumber;
  rtpTime: RtpTimestamp;
  ticks: number;
  clockRateHz: number;
}

/** Comfort noise has a level and a few coefficients (RFC 3389 section 3). */
const maxNoiseBytes = 24;

/**
 * Whether a packet is still of the former meaning of a number that means something else now. No peer should do that
 * (RFC 3264 section 8.3.2), and nothing in a packet says it, so it is guessed. Another SSRC is a new stream. Four bytes
 * are a key press where that is one of the meanings. A payload that is as long in time as those before it under one of
 * the meanings only is of that one. Where both fit, clocks of different rates tell: a stream whose time goes on by the
 * former clock goes on. At the same rate nothing could ever tell, and the new meaning holds at once.
 */
export function isOfFormerMeaning(
  packet: RtpPacketView,
  last: LastPacket,
  former: PayloadMeaning,
  current: PayloadMeaning,
): boolean {
  if (packet.ssrc !== last.ssrc) return false;
  if (!former.format !== !current.format)
    return (packet.payloadBytes === telephoneEventBytes) === !former.format;
  if (!fits(packet, last, former)) return false;
  if (!fits(packet, last, current)) return true;
  if (former.clockRateHz === current.clockRateHz || former.clockRateHz !== last.clockRateHz) return false;
  const steps = sequenceDelta(packet.sequenceNumber, last.sequenceNumber);
  return timestampDelta(packet.timestamp, last.rtpTime) === steps * last.ticks;
}

function fits(packet: RtpPacketView, last: LastPacket, { format, clockRateHz }: PayloadMeaning): boolean {
  const { payloadBytes } = packet;
  if (!format) return payloadBytes === telephoneEventBytes;
  if (!format.decoder) return payloadBytes > 0 && payloadBytes <= maxNoiseBytes;
  const ticks = payloadDurationTicks(format.codec, clockRateHz, packet.payload());
  return ticks > 0 && ticks * last.clockRateHz === last.ticks * clockRateHz;
}
