/** Packets that follow one another: each with the next number, and later by its own length in RTP time. */
export interface PacketSeries {
  readonly count: number;
  /** Of the first, as on the wire. */
  readonly sequenceNumber: number;
  readonly rtpTime: number;
  /** Of each; as many ticks of RTP time. */
  readonly payloadBytes: number;
  /** On the room's clock. */
  arrivalUs(index: number): number;
}
