import { timingSafeEqual } from 'node:crypto';

/** Takes the same time whether the first or the last byte differs, so that nobody finds a signature byte by byte. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
