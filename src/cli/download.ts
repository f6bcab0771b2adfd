import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { CallreelError } from '../errors.ts';
import { errorOf } from './api-client.ts';

/** The body as a file: there whole or not at all. @returns its size @throws CallreelError the server's, FILE_UNUSABLE */
export async function saveBody(response: Response, file: string): Promise<number> {
  if (!response.ok || !response.body) throw errorOf(response.status, await response.text());
  const draft = `${file}.${process.pid}.part`;
  let bytes = 0;
  try {
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    body.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length;
    });
    await pipeline(body, createWriteStream(draft, { flags: 'wx', mode: 0o600 }));
    await rename(draft, file);
    return bytes;
  } catch (cause) {
    await rm(draft, { force: true });
    throw new CallreelError('FILE_UNUSABLE', `${file} was not written: ${(cause as Error).message}`, {
      where: file,
      cause,
    });
  }
}
