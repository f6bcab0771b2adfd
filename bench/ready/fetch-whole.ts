import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';

export interface Fetched {
  byteLength: number;
  /** Of all of it. */
  sha256: string;
  firstByteMs: number;
  wholeMs: number;
}

/** @param keep is given the file, which is not kept otherwise. @throws AssertionError where it is not whole */
export async function fetchWhole(url: string, keep?: (bytes: Buffer) => void): Promise<Fetched> {
  const beganUs = systemClock.monotonicUs();
  const sinceMs = () => (systemClock.monotonicUs() - beganUs) / 1000;
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  const hash = createHash('sha256');
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  let firstByteMs: number | undefined;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    firstByteMs ??= sinceMs();
    byteLength += chunk.length;
    hash.update(chunk);
    if (keep) chunks.push(chunk);
  }
  const wholeMs = sinceMs();
  assert.equal(String(byteLength), response.headers.get('content-length'), url);
  keep?.(Buffer.concat(chunks));
  return { byteLength, sha256: hash.digest('hex'), firstByteMs: firstByteMs ?? wholeMs, wholeMs };
}
