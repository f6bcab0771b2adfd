/** Under this, seconds count by their size rather than by their ratio. */
const offsetSeconds = 0.3;

/** What the model of halls is fitted to: 8 s for 6 is as wrong as 0.8 for 0.6. */
export function toModelScale(seconds: number): number {
  return Math.log(seconds + offsetSeconds);
}

export function fromModelScale(value: number): number {
  return Math.exp(value) - offsetSeconds;
}
