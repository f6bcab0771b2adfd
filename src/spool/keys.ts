import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { isMissing, syncPath } from './files.ts';

/**
 * Three layers of keys: the master key seals each recording's key, a recording's key wraps the keys of the segments
 * it may use. Whoever erases a recording's wraps and its sealed key has erased its audio.
 *
 * A sealed key is `1 | nonce, 12 bytes | AES-256-GCM of the key, 32 bytes | tag, 16 bytes`, in base64; the ids it
 * belongs to are authenticated, so that a wrap is worth nothing in another place.
 */
export const keyBytes = 32;
const sealVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const sealedBytes = 1 + nonceBytes + keyBytes + tagBytes;

export type MasterKey = Secret<Buffer>;

/** A recording's key in both forms; `plain` lives in memory only. The same shape as `media/control` wants it. */
export interface NewRecordingKey {
  plain: string;
  sealed: string;
}

function seal(key: Uint8Array, context: string, plain: Uint8Array): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Uint8Array.of(sealVersion), nonce, body, cipher.getAuthTag()]).toString('base64');
}

function open(key: Uint8Array, context: string, sealed: string): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length !== sealedBytes || bytes[0] !== sealVersion) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + nonceBytes));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(sealedBytes - tagBytes));
  const plain = decipher.update(bytes.subarray(1 + nonceBytes, sealedBytes - tagBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

const recordingContext = (recordingId: string): string => `callreel recording ${recordingId}`;
const segmentContext = (recordingId: string, segmentId: string): string =>
  `callreel segment ${recordingId} ${segmentId}`;

export function newRecordingKey(masterKey: MasterKey, recordingId: string): NewRecordingKey {
  const plain = randomBytes(keyBytes);
  const sealed = seal(masterKey.reveal(), recordingContext(recordingId), plain);
  return { plain: plain.toString('base64'), sealed };
}

/** @throws CallreelError SPOOL_KEY_MISSING when another master key sealed it */
export function openRecordingKey(masterKey: MasterKey, recordingId: string, sealed: string): Secret<Buffer> {
  const plain = open(masterKey.reveal(), recordingContext(recordingId), sealed);
  if (!plain)
    throw new CallreelError('SPOOL_KEY_MISSING', 'the master key does not open this recording', {
      where: recordingId,
    });
  return new Secret(plain);
}

export function newSegmentKey(): Buffer {
  return randomBytes(keyBytes);
}

export function wrapSegmentKey(
  recordingKey: Uint8Array,
  recordingId: string,
  segmentId: string,
  segmentKey: Uint8Array,
): string {
  return seal(recordingKey, segmentContext(recordingId, segmentId), segmentKey);
}

/** @throws CallreelError SPOOL_CORRUPT when the wrap was not made for this recording and segment */
export function unwrapSegmentKey(
  recordingKey: Secret<Buffer>,
  recordingId: string,
  segmentId: string,
  wrapped: string,
): Secret<Buffer> {
  const plain = open(recordingKey.reveal(), segmentContext(recordingId, segmentId), wrapped);
  if (!plain)
    throw new CallreelError('SPOOL_CORRUPT', 'a segment key does not open with its recording key', {
      where: `${recordingId} ${segmentId}`,
    });
  return new Secret(plain);
}

/**
 * @param text 32 bytes in base64, from the configuration
 * @throws CallreelError CONFIG_INVALID
 */
export function parseMasterKey(text: Secret): MasterKey {
  const bytes = Buffer.from(text.reveal(), 'base64');
  if (bytes.length !== keyBytes)
    throw new CallreelError('CONFIG_INVALID', 'the master key is 32 bytes in base64', { where: 'masterKey' });
  return new Secret(bytes);
}

/** Links a complete file into place, so that nobody ever reads half a key and the first of two makers wins. */
function createKeyFile(path: string): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeSync(fd, randomBytes(keyBytes));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  syncPath(directory);
}

export function masterKeyPath(dataDirectory: string): string {
  return join(dataDirectory, 'keys', 'master.key');
}

/**
 * Reads `<dataDirectory>/keys/master.key`; makes it on first use.
 * @throws CallreelError SPOOL_KEY_MISSING when the file is not 32 bytes
 */
export function loadMasterKey(dataDirectory: string): MasterKey {
  const path = masterKeyPath(dataDirectory);
  try {
    return readMasterKey(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    createKeyFile(path);
    return readMasterKey(path);
  }
}

/**
 * Reads a master key file and makes none.
 * @throws CallreelError SPOOL_KEY_MISSING when the file is not 32 bytes; the system's error when it can't be read
 */
export function readMasterKey(path: string): MasterKey {
  const bytes = readFileSync(path);
  if (bytes.length !== keyBytes)
    throw new CallreelError('SPOOL_KEY_MISSING', 'the master key file is not 32 bytes', { where: path });
  return new Secret(bytes);
}
