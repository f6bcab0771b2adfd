/**
 * Numbers in few bytes, exactly: counts, nearly half of them 0 and most of them small, and sums among them. Each is
 *
 *     0xxxxxxx                       0 to 127
 *     10xxxxxx xxxxxxxx              to 2^14 - 1
 *     11000000 and 8 bytes           anything, as a float of 64 bits
 *     11xxxxxx                       2 to 64 times 0
 */
const firstTwo = 0x80;
const firstFloat = 0xc0;
const oneByteEnd = 2 ** 7;
const twoBytesEnd = 2 ** 14;
const floatBytes = 8;
const leastZeros = 2;
const mostZeros = 64;

let scratch = new Uint8Array(0);

/** How much more than there is room is made at once, where there was too little. */
const roomBytes = 512;

/**
 * @param room the memory that such numbers were in before: they are packed into it where they fit, so that numbers which
 * are packed again and again leave nothing to be collected
 * @returns that memory, or another one; behind the last number it may hold anything
 */
export function packNumbers(values: Float64Array, room?: Uint8Array): Uint8Array {
  const packed = pack(values);
  if (!room) return packed.slice();
  const isEnough = room.length >= packed.length;
  const into = isEnough ? room : new Uint8Array(Math.ceil(packed.length / roomBytes) * roomBytes);
  into.set(packed);
  return into;
}

/** Valid until the next ones are packed. */
function pack(values: Float64Array): Uint8Array {
  const most = values.length * (1 + floatBytes);
  if (scratch.length < most) scratch = new Uint8Array(most);
  const view = new DataView(scratch.buffer);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const zeros = value === 0 ? zerosFrom(values, i) : 0;
    if (zeros >= leastZeros) {
      scratch[at++] = firstFloat + zeros - leastZeros + 1;
      i += zeros - 1;
      continue;
    }
    const isCount = Number.isInteger(value) && value >= 0 && !Object.is(value, -0);
    if (isCount && value < oneByteEnd) scratch[at++] = value;
    else if (isCount && value < twoBytesEnd) {
      view.setUint16(at, (firstTwo << 8) | value);
      at += 2;
    } else {
      scratch[at] = firstFloat;
      view.setFloat64(at + 1, value);
      at += 1 + floatBytes;
    }
  }
  return scratch.subarray(0, at);
}

/** @param values gets as many as were packed */
export function unpackNumbers(packed: Uint8Array, values: Float64Array): void {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    const first = packed[at]!;
    if (first < firstTwo) {
      values[i] = first;
      at += 1;
    } else if (first < firstFloat) {
      values[i] = view.getUint16(at) & (twoBytesEnd - 1);
      at += 2;
    } else if (first === firstFloat) {
      values[i] = view.getFloat64(at + 1);
      at += 1 + floatBytes;
    } else {
      const end = i + first - firstFloat + leastZeros - 1;
      values.fill(0, i, end);
      i = end - 1;
      at += 1;
    }
  }
}

function zerosFrom(values: Float64Array, from: number): number {
  const end = Math.min(values.length, from + mostZeros);
  let i = from;
  while (i < end && Object.is(values[i], 0)) i++;
  return i - from;
}
