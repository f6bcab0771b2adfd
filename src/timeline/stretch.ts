/** How RTP time is stretched from some moment on: by its drift, and for a while by more to make up for an offset. */
export interface Stretch {
  driftPpm: number;
  slewPpm: number;
  /** So long, in RTP time. */
  slewUs: number;
}

/** How much longer so much RTP time becomes, in microseconds; before the moment too. */
export function stretchUs({ driftPpm, slewPpm, slewUs }: Stretch, rtpUs: number): number {
  return (rtpUs * driftPpm + Math.max(0, Math.min(rtpUs, slewUs)) * slewPpm) / 1_000_000;
}

/** Above real time, at that moment, in parts per million. */
export function ratePpmAt({ driftPpm, slewPpm, slewUs }: Stretch, rtpUs: number): number {
  return rtpUs < slewUs ? driftPpm + slewPpm : driftPpm;
}
