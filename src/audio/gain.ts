/** Louder or softer by so many decibels, clipped at full scale. A copy, unless nothing changes. */
export function amplified(samples: Int16Array, gainDb: number): Int16Array {
  if (gainDb === 0) return samples;
  const factor = 10 ** (gainDb / 20);
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++)
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(samples[i]! * factor)));
  return out;
}
