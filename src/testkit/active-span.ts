/** Samples `start` up to, not including, `end`. */
export interface SampleSpan {
  start: number;
  end: number;
}

/** A-law silence decodes to +-8, and a code or two beside it is still nobody speaking. */
const quietMagnitude = 64;

/** From the first to the last sample louder than the quiet of a G.711 line; empty (0, 0) for silence. */
export function activeSpan(samples: Int16Array): SampleSpan {
  const isLoud = (sample: number) => sample > quietMagnitude || sample < -quietMagnitude;
  const start = samples.findIndex(isLoud);
  if (start < 0) return { start: 0, end: 0 };
  return { start, end: samples.findLastIndex(isLoud) + 1 };
}
