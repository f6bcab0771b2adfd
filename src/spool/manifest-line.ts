import { crc32 } from 'node:zlib';
import type { ManifestRecord } from './records.ts';

/** A blank and eight hex digits. */
export const lineCrcBytes = 9;

/** One line of a manifest: the record as JSON, a blank, the CRC-32 of the JSON as eight hex digits, a newline. */
export function encodeManifestLine(record: ManifestRecord): string {
  const json = JSON.stringify(record);
  return `${json} ${crc32(json).toString(16).padStart(8, '0')}\n`;
}
