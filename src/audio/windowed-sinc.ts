/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-15; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * The impulse response of an interpolating low-pass filter: a sinc under a Kaiser window.
 * @param t samples of the lower rate from its centre
 * @param zeroCrossings on each side
 * @param kaiserBeta shape of the window: the larger, the farther down is the stop band, and the wider the transition
 */
export function windowedSinc(t: number, zeroCrossings: number, kaiserBeta: number): number {
  const edge = t / zeroCrossings;
  if (Math.abs(edge) >= 1) return 0;
  const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
  return sinc * besselI0(kaiserBeta * Math.sqrt(1 - edge * edge));
}
