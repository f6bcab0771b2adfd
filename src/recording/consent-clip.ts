import type { CapturedPacket } from '../media/capture-sink.ts';
import type { SegmentOpening, SpoolProducer } from '../spool/producer.ts';

/**
 * Writes what a party said before its consent as a segment of its own.
 * @param originUs position 0 of the room's clock, monotonic microseconds
 */
export function writeClip(
  spool: SpoolProducer,
  originUs: number,
  said: readonly CapturedPacket[],
  opening: SegmentOpening,
): void {
  const segment = spool.openSegment(opening);
  let format = '';
  for (const packet of said) {
    const { codec, clockRateHz, payloadType, ssrc, sequenceNumber, rtpTime, payload } = packet;
    const arrivalUs = Math.max(0, packet.arrivalUs - originUs);
    const itsFormat = `${codec} ${clockRateHz} ${payloadType} ${ssrc}`;
    if (itsFormat !== format && spool.format(segment, packet, arrivalUs)) format = itsFormat;
    if (itsFormat === format) spool.packet(segment, sequenceNumber, rtpTime, arrivalUs, payload);
  }
  spool.closeSegment(segment);
}
