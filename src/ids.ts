import { randomFillSync } from 'node:crypto';

const idBytes = 8;
/** Drawn for many at once: each by itself makes two objects of its own and a call into OpenSSL. */
const pool = Buffer.alloc(256 * idBytes);
let used = pool.length;

/** 16 hex digits, the form of Sift's connection ids; 64 random bits. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + idBytes);
  used += idBytes;
  return id;
}
