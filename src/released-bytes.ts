import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Less waits for the collector. */
const leastBytes = 16 * 1024;

/**
 * Gives back the memory of bytes that nobody reads any more. V8 counts it along with its heap: where it waits for a
 * collection, some megabytes that passed through have V8 look at all that is kept.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength >= leastBytes && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer)
    buffer.transfer(0);
}

/** Where the bytes of a response wait that the system does not have yet. */
export interface ResponsePath {
  body: Pick<Readable, 'readableLength'>;
  /** What is no socket may keep what it was given. */
  response: Pick<Writable, 'writableLength'> & { socket?: unknown };
}

/**
 * The same chunks, each of them released once it is sent: they belong to nobody else.
 * @param path asked behind the first chunk
 */
export async function* releasedOnceSent(
  chunks: AsyncIterable<Uint8Array>,
  path: () => ResponsePath,
): AsyncGenerator<Uint8Array, void, void> {
  const given: Uint8Array[] = [];
  for await (const chunk of chunks) {
    if (given.length > 0) releaseSent(given, path());
    yield chunk;
    given.push(chunk);
  }
}

/** All but the newest, which may still wait. */
function releaseSent(given: Uint8Array[], { body, response }: ResponsePath): void {
  if (!(response.socket instanceof Socket)) return;
  let waitingBytes = body.readableLength + response.writableLength;
  let unsent = given.length;
  for (; unsent > 0 && waitingBytes > 0; unsent--) waitingBytes -= given[unsent - 1]!.length;
  for (const chunk of given.splice(0, unsent)) releaseBytes(chunk);
}
