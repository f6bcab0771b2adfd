/** Interleaved: each channel a tone of its own, or silence where it is 0 Hz. */
export function testTones(samples: number, rateHz: number, ...hertz: readonly number[]): Int16Array {
  const out = new Int16Array(samples * hertz.length);
  for (let at = 0; at < out.length; at += 1) {
    const turns = (hertz[at % hertz.length]! * Math.floor(at / hertz.length)) / rateHz;
    out[at] = 12_000 * Math.sin(2 * Math.PI * turns);
  }
  return out;
}

/** The file that the parts make, written in their order. */
export function fileOf(parts: readonly { at: number; bytes: Uint8Array }[]): Buffer {
  const length = parts.reduce((end, { at, bytes }) => Math.max(end, at + bytes.length), 0);
  const file = Buffer.alloc(length);
  for (const { at, bytes } of parts) file.set(bytes, at);
  return file;
}
