import { type SrtpKey, type SrtpKeys, type SrtpSuite, srtpKeyBytes } from './srtp-parameters.ts';

/** One `a=crypto` line that we can use (RFC 4568 section 9.1). */
export interface CryptoAttribute extends SrtpKeys {
  tag: number;
}

const maxKeys = 8;
const maxMkiBytes = 16;
const maxLifetime = 2n ** 48n;

/**
 * Reads the value of an `a=crypto`: `1 AES_CM_128_HMAC_SHA1_80 inline:<key and salt>|2^20|1:4;inline:... WSH=64`.
 * The lifetime is the sender's to keep.
 * @returns undefined for what is malformed, and for suites and session parameters that we do not have
 */
export function parseCrypto(value: string): CryptoAttribute | undefined {
  const [tag, suiteName, keyParameters, ...sessionParameters] = value.trim().split(/\s+/);
  const suite = suiteName?.toUpperCase();
  if (!tag || !/^\d{1,9}$/.test(tag) || !isSuite(suite) || !keyParameters) return undefined;
  if (!sessionParameters.every(isHarmless)) return undefined;
  const texts = keyParameters.split(';').filter((text) => text !== '');
  if (texts.length === 0 || texts.length > maxKeys) return undefined;
  const keys: SrtpKey[] = [];
  for (const text of texts) {
    const key = parseKey(text, suite);
    if (!key) return undefined;
    keys.push(key);
  }
  return haveIdentifiers(keys) ? { tag: Number(tag), suite, keys } : undefined;
}

function isSuite(name: string | undefined): name is SrtpSuite {
  return name !== undefined && Object.hasOwn(srtpKeyBytes, name);
}

/** RFC 4568 section 6.1: `inline:<key and salt>[|<lifetime>][|<identifier>:<its length>]`. */
function parseKey(text: string, suite: SrtpSuite): SrtpKey | undefined {
  const [method, inline] = splitOnce(text, ':');
  if (method.toLowerCase() !== 'inline' || inline === undefined) return undefined;
  const [encoded = '', ...rest] = inline.split('|');
  const keySalt = keySaltOf(encoded, srtpKeyBytes[suite]);
  if (keySalt === undefined || rest.length > 2) return undefined;
  const key: SrtpKey = { keySalt };
  for (const part of rest) {
    if (part.includes(':')) {
      const mki = parseMki(part);
      if (!mki || key.mki) return undefined;
      key.mki = mki;
    } else if (!isLifetime(part)) return undefined;
  }
  return key;
}

/** Some write no padding. */
function keySaltOf(encoded: string, bytes: number): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const decoded = Buffer.from(encoded, 'base64');
  return decoded.length === bytes ? decoded.toString('base64') : undefined;
}

function parseMki(text: string): SrtpKey['mki'] | undefined {
  const match = /^(\d{1,40}):(\d{1,3})$/.exec(text);
  const bytes = Number(match?.[2]);
  if (!match || bytes < 1 || bytes > maxMkiBytes) return undefined;
  const value = BigInt(match[1]!);
  if (value >= 1n << BigInt(8 * bytes)) return undefined;
  return { value: value.toString(16).padStart(2 * bytes, '0'), bytes };
}

function isLifetime(text: string): boolean {
  const power = /^2\^(\d{1,2})$/.exec(text);
  if (!power && !/^\d{1,15}$/.test(text)) return false;
  const lifetime = power ? 2n ** BigInt(power[1]!) : BigInt(text);
  return lifetime > 0n && lifetime <= maxLifetime;
}

/** RFC 4568 section 6.3: what changes the packets or takes protection away is not for us, nor what nobody knows. */
function isHarmless(parameter: string): boolean {
  return parameter.startsWith('-') || /^(WSH=\d{1,6}|KDR=0)$/i.test(parameter);
}

/** RFC 4568 section 6.1: several keys need identifiers, all of one length and each its own. */
function haveIdentifiers(keys: readonly SrtpKey[]): boolean {
  if (keys.length === 1) return true;
  const identifiers = new Set(keys.map(({ mki }) => mki?.value));
  return (
    identifiers.size === keys.length &&
    new Set(keys.map(({ mki }) => mki?.bytes ?? 0)).size === 1 &&
    !!keys[0]!.mki
  );
}

/** The value of an `a=crypto` of ours: one key, without an identifier. */
export function formatCrypto(tag: number, suite: SrtpSuite, keySalt: string): string {
  return `${tag} ${suite} inline:${keySalt}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
