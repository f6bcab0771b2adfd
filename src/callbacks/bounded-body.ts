const smallestBytes = 64 * 1024;

/**
 * Reads a body of at most `maxBytes` into one buffer, without ever copying it as a whole.
 * @param takes told how much memory the body takes, before it takes more
 * @returns undefined when it is longer
 */
export async function readBoundedBody(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  takes: (bytes: number) => void = () => undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  takes(Math.min(smallestBytes, maxBytes));
  const buffer = new ArrayBuffer(Math.min(smallestBytes, maxBytes), { maxByteLength: maxBytes });
  let length = 0;
  for await (const chunk of chunks) {
    const end = length + chunk.length;
    if (end > maxBytes) return undefined;
    if (end > buffer.byteLength) {
      const larger = Math.min(maxBytes, Math.max(end, 2 * buffer.byteLength));
      takes(larger);
      buffer.resize(larger);
    }
    new Uint8Array(buffer).set(chunk, length);
    length = end;
  }
  buffer.resize(length);
  return new Uint8Array(buffer.transferToFixedLength());
}
