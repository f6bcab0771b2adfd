/** Numbers in network order, in or out; offsets are the caller's care. */

export function readUint16(data: Uint8Array, at: number): number {
  return (data[at]! << 8) | data[at + 1]!;
}

export function readUint32(data: Uint8Array, at: number): number {
  return ((readUint16(data, at) << 16) | readUint16(data, at + 2)) >>> 0;
}

/**
 * As `Buffer.writeUInt32BE`, without its checks, which take longer than this.
 * @param value the same as a signed number gives the same bytes
 */
export function writeUint32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** As `Buffer.writeUIntBE` of six bytes, without its checks. */
export function writeUint48(out: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  out[at] = high >>> 8;
  out[at + 1] = high;
  writeUint32(out, at + 2, value);
}
