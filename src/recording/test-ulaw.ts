/**
 * G.711 mu-law by its definition, apart from the product's codec. Samples in 16 bits. For tests only.
 */
export function fromUlaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 1) + 33) << ((code >> 4) & 7)) - 33;
  return (code & 0x80 ? -4 : 4) * magnitude + 0;
}

/** The code of a sample; negative ones by their one's complement (G.191). */
export function ulawOf(sample: number): number {
  const sign = sample < 0 ? 0x00 : 0x80;
  const magnitude = Math.min(8158, (sample < 0 ? ~sample : sample) >> 2) + 33;
  const segment = 26 - Math.clz32(magnitude);
  return (sign | (~((segment << 4) | ((magnitude >> (segment + 1)) & 0x0f)) & 0x7f)) & 0xff;
}

/** What is left of a sample that was sent. */
export function throughUlaw(sample: number): number {
  return fromUlaw(ulawOf(sample));
}
