import { createHash } from 'node:crypto';
import { CallreelError } from '../../errors.ts';
import type { DestinationPlace } from './destination-url.ts';

export interface GeneratedName {
  /** Unix time at which the recording began. */
  startedAtMs: number;
  applicationKey: string;
  /** Of the call; of the conference for a recording of that. */
  id: string;
  /** Extension without the dot. */
  format: string;
  /**
   * 1 for the first recording of this call or conference that began in that second, 2 for the next: the only way in
   * which two could be given one name.
   */
  ordinal: number;
}

const maxIdCharacters = 200;
/** Of S3 and Cloud Storage; Azure counts 1024 characters. */
const maxKeyBytes = 1024;

/**
 * The name of a file whose URL names none: `20261121183000_<application key>_<call id>.mp3`, in UTC. Ids that users
 * choose are percent-encoded, so different ids never make one name.
 */
export function generatedFileName({
  startedAtMs,
  applicationKey,
  id,
  format,
  ordinal,
}: GeneratedName): string {
  const began = new Date(startedAtMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');
  const copy = ordinal > 1 ? `~${ordinal}` : '';
  return `${began}_${namePart(applicationKey)}_${namePart(id)}${copy}.${format}`;
}

/** Injective, without slash, underscore kept, and without the `~` that marks a second copy. */
function namePart(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed())
    .replaceAll('~', '%7E')
    .replaceAll(/^\.+/g, encodeDots);
  if (encoded.length <= maxIdCharacters && text.isWellFormed()) return encoded;
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 32);
  return `${encoded.slice(0, maxIdCharacters - digest.length - 1)}.${digest}`;
}

function encodeDots(dots: string): string {
  return '%2E'.repeat(dots.length);
}

/**
 * The key to write to: the name in the URL as it stands, or the generated one in the URL's folder.
 * @throws CallreelError DESTINATION_INVALID when it is longer than any storage takes
 */
export function keyAt({ path }: DestinationPlace, generatedName: string): string {
  const key = namesFile(path) ? path : path + generatedName;
  if (Buffer.byteLength(key) > maxKeyBytes)
    throw new CallreelError('DESTINATION_INVALID', `the name is longer than ${maxKeyBytes} bytes`, {
      where: 'destinationUrl',
    });
  return key;
}

/** In our own store, which all applications share: each has names of its own there. */
export function ownStoreKey(applicationKey: string, name: string): string {
  return `${namePart(applicationKey)}/${name}`;
}

export function namesFile(path: string): boolean {
  return path !== '' && !path.endsWith('/');
}

/**
 * What a user should be told about the name in the URL. The format decides what is in the file, and the name is kept.
 * @param format extension without the dot
 */
export function nameWarning({ path }: DestinationPlace, format: string): string | undefined {
  if (!namesFile(path)) return undefined;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const extension = /[^.]\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1];
  if (extension === undefined) return `"${name}" is taken for the name of the file; a folder ends in a slash`;
  if (extension.toLowerCase() === format) return undefined;
  return `the file "${name}" holds ${format}: the format decides, not the name`;
}
