/** What happened to the packets of a track. */
export interface TimelineCounters {
  /** Every packet offered. */
  packets: number;
  duplicates: number;
  /** Placed, but after a packet with a higher sequence number. */
  reordered: number;
  /**
   * Sequence numbers that never came. Telephone-events use numbers of the same space and are not offered, so they
   * count here too.
   */
  lostPackets: number;
  /** Silence in place of lost packets. */
  gapSamples: number;
  /** Too late to be placed, or no room left where they belong; or before the track began. */
  late: number;
  /** Sent faster than real time beyond all bounds; dropped. */
  early: number;
}
