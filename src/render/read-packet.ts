import type { FormatRecord, PacketRecord } from '../spool/records.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import type { TrackPacket } from '../timeline/track-placer.ts';

export const noPayload = new Uint8Array(0);
export const noFormat: FormatRecord = {
  ...{ kind: 'format', codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 0 },
};

/** A packet as the spool has it, on its way to its place. */
export interface ReadPacket extends TrackPacket {
  payload: Uint8Array;
  format: FormatRecord;
}

/** Made once for each reader, and used again for each packet. */
export function newReadPacket(): ReadPacket {
  return {
    ...{ sequenceNumber: 0, rtpTime: 0, arrivalUs: 0, durationTicks: 0 },
    ...{ payload: noPayload, format: noFormat },
  };
}

/** @returns `packet` */
export function readInto(packet: ReadPacket, record: PacketRecord, format: FormatRecord): ReadPacket {
  packet.sequenceNumber = record.sequenceNumber;
  packet.rtpTime = record.rtpTime;
  packet.arrivalUs = record.arrivalUs;
  packet.durationTicks = payloadDurationTicks(format.codec, format.clockRateHz, record.payload);
  packet.payload = record.payload;
  packet.format = format;
  return packet;
}
