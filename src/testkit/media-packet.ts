/** One RTP packet a phone sends, before its header is written. */
export interface MediaPacket {
  ssrc: number;
  /** 16 bit, wrapping. */
  sequenceNumber: number;
  /** 32 bit, wrapping. */
  rtpTime: number;
  payloadType: number;
  marker: boolean;
  payload: Uint8Array;
  /** How far the RTP clock moves until the next packet. */
  durationSamples: number;
}

/** A packet and the moment it leaves, counted from the start of its schedule. */
export interface ScheduledPacket {
  packet: MediaPacket;
  sendOffsetUs: number;
}

/** The numbers the next packet of an outgoing stream gets. */
export interface StreamPosition {
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
}
