/** Boxes of ISO/IEC 14496-12. Numbers are big-endian. */
export type Bytes = Uint8Array;

export function u8(...values: number[]): Bytes {
  return Uint8Array.from(values);
}

export function u16(...values: number[]): Bytes {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setUint16(2 * k, value);
  return bytes;
}

export function u32(...values: number[]): Bytes {
  return u32List(values);
}

/** For lists that may be longer than a call takes arguments. */
export function u32List(values: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setUint32(4 * k, value);
  return bytes;
}

export function u64(...values: number[]): Bytes {
  return u64List(values);
}

export function u64List(values: readonly number[]): Bytes {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [k, value] of values.entries()) view.setBigUint64(8 * k, BigInt(value));
  return bytes;
}

export function text(value: string): Bytes {
  return Buffer.from(value, 'latin1');
}

export function box(type: string, ...parts: readonly Bytes[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(length), text(type), ...parts], length);
}

export function fullBox(type: string, version: number, flags: number, ...parts: readonly Bytes[]): Bytes {
  return box(type, u32((version << 24) | flags), ...parts);
}
