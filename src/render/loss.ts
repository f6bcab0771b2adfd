import { maxConcealedMs } from '../audio/concealment.ts';
import type { FormatRecord } from '../spool/records.ts';
import { maxCorrectionPpm } from '../timeline/bounds.ts';
import { sequenceDelta, timestampDelta } from '../timeline/rtp-run.ts';

/** A longer loss stays silent: what stood there nobody can say, and fading into silence would only blur its edge. */
export const maxConcealedSeconds = maxConcealedMs / 1000;

/** A packet's place on the wire and on the room's clock. */
export interface SequencedPacket {
  format: FormatRecord;
  sequenceNumber: number;
  rtpTime: number;
  durationTicks: number;
  atSample: number;
  durationSamples: number;
}

/**
 * Samples between two packets that neighbour each other on the room's clock and that packets were lost from: 0 where
 * nothing is missing, where the sender paused, and where more is missing than is concealed. A loss skips as many
 * sequence numbers as packets fit into the time; telephone-events take numbers without that time, or time without those
 * numbers. Behind comfort noise, a packet of another format, the sender was silent.
 */
export function concealableSamples(previous: SequencedPacket, next: SequencedPacket, rateHz: number): number {
  const gap = next.atSample - previous.atSample - previous.durationSamples;
  if (gap <= 0 || gap > maxConcealedSeconds * rateHz) return 0;
  const { format } = next;
  if (previous.format !== format && !isSameStream(previous.format, format)) return 0;
  const lost = sequenceDelta(previous.sequenceNumber, next.sequenceNumber) - 1;
  const ticks = timestampDelta(previous.rtpTime, next.rtpTime) - previous.durationTicks;
  if (lost <= 0 || (ticks !== lost * previous.durationTicks && ticks !== lost * next.durationTicks)) return 0;
  // Where arrival moved one of them, nothing is known of the time between. A clock that is followed moves them a little.
  const samples = (ticks * rateHz) / format.clockRateHz;
  return Math.abs(gap - samples) <= 1 + (samples * maxCorrectionPpm) / 1_000_000 ? gap : 0;
}

function isSameStream(a: SequencedPacket['format'], b: SequencedPacket['format']): boolean {
  return a.ssrc === b.ssrc && a.codec === b.codec && a.clockRateHz === b.clockRateHz;
}
