const smallestBytes = 64 * 1024;

/**
 * Reads a body of at most `maxBytes` into one buffer, without ever copying it as a whole.
 * @returns undefined when it is longer
 */
export async function readBoundedBody(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const buffer = new ArrayBuffer(Math.min(smallestBytes, maxBytes), { maxByteLength: maxBytes });
  let length = 0;
  for await (const chunk of chunks) {
    const end = length + chunk.length;
    if (end > maxBytes) return undefined;
    if (end > buffer.byteLength) buffer.resize(Math.min(maxBytes, Math.max(end, 2 * buffer.byteLength)));
    new Uint8Array(buffer).set(chunk, length);
    length = end;
  }
  buffer.resize(length);
  return new Uint8Array(buffer.transferToFixedLength());
}
