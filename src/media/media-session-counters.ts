/** Valid RTP that was not taken. */
export interface MediaSessionCounters {
  /** From another source than the one the leg is latched to. */
  strayPackets: number;
  unknownPayloadTypes: number;
  /** While the negotiated direction has nothing for us to receive. */
  unexpectedPackets: number;
}
