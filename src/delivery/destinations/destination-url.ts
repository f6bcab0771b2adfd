import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallreelError } from '../../errors.ts';

/**
 * Where a destination URL points to. `path` is what follows the bucket, container or store, letter by letter: nothing
 * in it is decoded. Empty, or ending in a slash, it is a folder.
 */
export type DestinationPlace =
  | { scheme: 's3' | 'gs'; bucket: string; path: string }
  | { scheme: 'azure'; account: string; container: string; path: string }
  /** Our own store has no folders: `path` is a file name or empty. */
  | { scheme: 'sdrive'; path: string }
  /** `path` is absolute. */
  | { scheme: 'file'; path: string };

const maxUrlCharacters = 2048;
const schemes = ['s3', 'gs', 'azure', 'sdrive', 'file'] as const;

/** Of today's S3 and Cloud Storage, and of their first years: upper case and underscores. Becomes part of a host name. */
const bucketPattern = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]$/;
const accountPattern = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const containerPattern = /^(?:\$root|\$web|[a-z0-9](?:-?[a-z0-9]){2,62})$/;

/**
 * `s3://bucket/folder/file`, `gs://bucket/folder/file`, `azure://account/container/folder/file`, `sdrive://file`,
 * `file:///folder/file`; folder and file may be left out.
 * @throws CallreelError DESTINATION_INVALID
 */
export function parseDestinationUrl(text: string): DestinationPlace {
  if (text.length > maxUrlCharacters) throw invalid(`the URL has more than ${maxUrlCharacters} characters`);
  const [, name = '', rest = ''] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(text) ?? [];
  const scheme = schemes.find((known) => known === name.toLowerCase());
  if (!scheme) throw invalid(`the URL must begin with ${schemes.map((known) => `${known}://`).join(', ')}`);
  checkPath(rest);
  // Its message quotes nothing: what stands there is a secret.
  if (/^[^/]*@/.test(rest) && scheme !== 'sdrive')
    throw invalid('the URL has credentials in it: they have a field of their own');
  if (scheme === 'sdrive') return { scheme, path: rest.slice(rest.lastIndexOf('/') + 1) };
  if (scheme === 'file') return { scheme, path: filePath(text) };
  const [first, afterFirst] = divided(rest);
  if (scheme !== 'azure') {
    if (!bucketPattern.test(first)) throw invalid(`no bucket can have the name "${shown(first)}"`);
    return { scheme, bucket: first, path: afterFirst };
  }
  const [container, path] = divided(afterFirst);
  if (!accountPattern.test(first)) throw invalid(`no storage account can have the name "${shown(first)}"`);
  if (!containerPattern.test(container))
    throw invalid(`no container can have the name "${shown(container)}": azure://account/container/file`);
  return { scheme, account: first, container, path };
}

/** Segments that a client or a proxy would resolve lead to another bucket; control characters to another request. */
function checkPath(path: string): void {
  if (!path.isWellFormed() || hasControl(path)) throw invalid('the URL has a control character in it');
  if (path.split(/[/\\]/).some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment)))
    throw invalid('the URL has a "." or ".." in its path');
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f');
}

function filePath(text: string): string {
  try {
    const path = fileURLToPath(text);
    if (isAbsolute(path) && !hasControl(path)) return path;
  } catch {
    // Said below.
  }
  throw invalid('a file URL needs an absolute path and no host: file:///folder/file');
}

/** What stands before and behind the first slash. */
function divided(text: string): [string, string] {
  const slash = text.indexOf('/');
  return slash === -1 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)];
}

function shown(text: string): string {
  return text.slice(0, 80);
}

function invalid(message: string): CallreelError {
  return new CallreelError('DESTINATION_INVALID', message, { where: 'destinationUrl' });
}
