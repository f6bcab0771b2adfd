/** A sine at a level in dBov, RMS, by its definition; sample `k` of 8000 in a second. For tests only. */
export function sine(frequencyHz: number, levelDbov: number, k: number): number {
  const amplitude = 32_768 * Math.SQRT2 * 10 ** (levelDbov / 20);
  return Math.round(amplitude * Math.sin(2 * Math.PI * (((k * frequencyHz) % 8000) / 8000)));
}
