/**
 * The middle of the quietest stretch of 40 ms that lies in `[from, to)`; of equally quiet ones the one closest to the
 * middle. `from + (to - from) / 2` where there is no room for one.
 */
export function quietestPoint(samples: Int16Array, rateHz: number, from: number, to: number): number {
  const step = Math.round(rateHz / 200);
  const steps = Math.floor((to - from) / step);
  const middle = from + Math.floor((to - from) / 2);
  if (steps < stretchSteps) return middle;
  const energies = new Float64Array(steps);
  for (let i = 0; i < steps; i++) energies[i] = energyOf(samples, from + i * step, step);
  let best = middle;
  let leastEnergy = Number.POSITIVE_INFINITY;
  let leastDistance = Number.POSITIVE_INFINITY;
  for (let first = 0; first + stretchSteps <= steps; first++) {
    let energy = 0;
    for (let i = first; i < first + stretchSteps; i++) energy += energies[i]!;
    const centre = from + first * step + (stretchSteps * step) / 2;
    const distance = Math.abs(centre - middle);
    if (energy > leastEnergy || (energy === leastEnergy && distance >= leastDistance)) continue;
    [best, leastEnergy, leastDistance] = [Math.floor(centre), energy, distance];
  }
  return best;
}

const stretchSteps = 8;

function energyOf(samples: Int16Array, from: number, length: number): number {
  let energy = 0;
  for (let i = from; i < from + length; i++) energy += samples[i]! * samples[i]!;
  return energy;
}
