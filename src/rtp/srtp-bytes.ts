/** What SRTP packets are made of; offsets are the caller's care. */

export const srtcpIndexBytes = 4;

/** XORs the 32 bits of `value` onto `out`. */
export function xorUint32(out: Uint8Array, offset: number, value: number): void {
  out[offset]! ^= value >>> 24;
  out[offset + 1]! ^= (value >>> 16) & 0xff;
  out[offset + 2]! ^= (value >>> 8) & 0xff;
  out[offset + 3]! ^= value & 0xff;
}

export function equalsAt(data: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (data[offset + i] !== expected[i]) return false;
  return true;
}

/** For secrets: takes as long wherever the difference is. */
export function equalsAtConstantTime(data: Uint8Array, offset: number, expected: Uint8Array, bytes: number) {
  let difference = 0;
  for (let i = 0; i < bytes; i++) difference |= data[offset + i]! ^ expected[i]!;
  return difference === 0;
}
