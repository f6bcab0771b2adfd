import { createHmac } from 'node:crypto';
import { equalInConstantTime } from '../constant-time.ts';
import { headerOf, type SignedRequest } from '../request-headers.ts';

const algorithms = [
  { header: 'x-signalwire-sha256-signature', hash: 'sha256', hexLength: 64 },
  { header: 'x-signalwire-signature', hash: 'sha1', hexLength: 40 },
] as const;

/**
 * Whether a request was signed with our key: each signature that is there fits, and one is. They are the HMAC of the
 * URL and the body, SHA-1 in `X-Signalwire-Signature` and SHA-256 in `X-Signalwire-SHA256-Signature`, as hex.
 * @param url as the server called it, with its query: behind a proxy not as your program sees it
 */
export function verifyRequest(key: string, request: SignedRequest & { url: string }): boolean {
  const signatures = algorithms.flatMap(({ header }) => headerOf(request.headers, header) ?? []);
  return (
    signatures.length > 0 &&
    signatures.every((signature) => validateRequest(key, signature, request.url, request.body))
  );
}

/** The same for one signature, with the arguments of the vendor's `validateRequest`. */
export function validateRequest(
  key: string,
  signature: string,
  url: string,
  body: string | Uint8Array,
): boolean {
  if (key === '') throw new TypeError('the signing key is empty');
  const algorithm = algorithms.find(({ hexLength }) => signature.length === hexLength);
  if (!algorithm || !/^[0-9a-f]+$/i.test(signature)) return false;
  const expected = createHmac(algorithm.hash, key).update(url).update(body).digest();
  return equalInConstantTime(Buffer.from(signature, 'hex'), expected);
}
