/** Where a packet's audio lies, in samples on the room's clock. Shorter than the packet: the rest is taken already. */
export interface Placement {
  atSample: number;
  durationSamples: number;
  /** Where drift is corrected: the whole packet is stretched to this. */
  exact?: ExactSpan;
}

/** Where a packet begins and ends, between samples. */
export interface ExactSpan {
  fromSample: number;
  toSample: number;
}

export function placementOf(
  atSample: number,
  durationSamples: number,
  exact: ExactSpan | undefined,
): Placement {
  return exact ? { atSample, durationSamples, exact } : { atSample, durationSamples };
}
