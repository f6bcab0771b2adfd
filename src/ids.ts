import { randomBytes } from 'node:crypto';

/** 16 hex digits, the form of Sift's connection ids; 64 random bits. */
export function newId(): string {
  return randomBytes(8).toString('hex');
}
