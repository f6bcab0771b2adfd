import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * A self-signed X.509 certificate (RFC 5280) with a new P-256 key, as DER is written: tag, length, content. Node makes
 * keys and signatures but no certificates.
 */
export function makeSelfSigned(names: readonly string[], notBefore: Date): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const subject = sequence(set(sequence(oid(commonName), der(0x0c, Buffer.from(names[0] ?? 'callreel')))));
  const serial = randomBytes(16);
  // A positive number that begins with no zero byte.
  serial[0] = (serial[0] ?? 0) & 0x7f ? (serial[0] ?? 0) & 0x7f : 1;
  const signature = sequence(oid(ecdsaWithSha256));
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + validYears);
  const certificate = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(serial),
    signature,
    subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    spki,
    der(0xa3, sequence(...extensions(names, spki))),
  );
  const signed = sequence(
    certificate,
    signature,
    der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', certificate, privateKey)])),
  );
  return {
    cert: pem('CERTIFICATE', signed),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

const validYears = 10;
const commonName = [2, 5, 4, 3];
const ecdsaWithSha256 = [1, 2, 840, 10045, 4, 3, 2];
const subjectAltName = [2, 5, 29, 17];
const subjectKeyIdentifier = [2, 5, 29, 14];
const basicConstraints = [2, 5, 29, 19];

/** Section 4.2.1; its own issuer, so that a client may be given it as authority. */
function extensions(names: readonly string[], spki: Buffer): Buffer[] {
  const keyId = createHash('sha1').update(spki).digest();
  return [
    extension(subjectAltName, sequence(...names.map(generalName))),
    extension(subjectKeyIdentifier, der(0x04, keyId)),
    extension(basicConstraints, sequence(der(0x01, Buffer.of(0xff)))),
  ];
}

function generalName(name: string): Buffer {
  if (isIP(name) === 0) return der(0x82, Buffer.from(name, 'latin1'));
  return der(0x87, Buffer.from(ipaddr.parse(name).toByteArray()));
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...bytes), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function oid([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

/** GeneralizedTime, as it may be used from 2050 on only: until then UTCTime with two digits of the year. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
