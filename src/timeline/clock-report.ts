/** A sender report: where the RTP time of a stream stood on its sender's wall clock (RFC 3550 section 6.4.1). */
export interface ClockReport {
  ssrc: number;
  /** NTP timestamp: seconds since 1900 and the fraction in 2^-32 s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTime: number;
  /** On the room's clock. */
  arrivalUs: number;
}

/** The sender's wall clock in microseconds; 0: it has none. */
export function wallClockUs({ ntpSeconds, ntpFraction }: ClockReport): number {
  return (ntpSeconds + ntpFraction / 2 ** 32) * 1_000_000;
}
