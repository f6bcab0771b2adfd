/** An inclusive byte range of a representation, as `Content-Range` writes it. */
export interface ByteRange {
  first: number;
  last: number;
}

const singleRange = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The `Range` header (RFC 9110, section 14.2) against a representation of `byteLength` bytes.
 * @returns undefined: no range, or one we may ignore (several ranges, another unit): answer 200 with the whole;
 *   'unsatisfiable': answer 416
 */
export function parseByteRange(
  header: string | undefined,
  byteLength: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = singleRange.exec(header ?? '');
  if (!match) return undefined;
  const [, firstText = '', lastText = ''] = match;
  if (firstText === '' && lastText === '') return undefined;
  if (firstText === '') return suffixRange(Number(lastText), byteLength);
  const first = Number(firstText);
  const last = lastText === '' ? byteLength - 1 : Number(lastText);
  // A last byte before the first makes the header invalid, and an invalid header is ignored (14.1.1).
  if (last < first && lastText !== '') return undefined;
  if (first >= byteLength) return 'unsatisfiable';
  return { first, last: Math.min(last, byteLength - 1) };
}

function suffixRange(suffixBytes: number, byteLength: number): ByteRange | 'unsatisfiable' {
  if (suffixBytes === 0 || byteLength === 0) return 'unsatisfiable';
  return { first: Math.max(0, byteLength - suffixBytes), last: byteLength - 1 };
}
