/** As `Buffer.writeUInt32BE`, without its checks, which take longer than this: there is room, and it fits. */
export function putUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** As `Buffer.writeUIntBE` of six bytes. */
export function putUint48(out: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  out[at] = high >>> 8;
  out[at + 1] = high;
  putUint32(out, at + 2, value);
}
