import { CallreelError, type ErrorCode } from '../../errors.ts';
import { redacted } from '../../secret.ts';

/** What a storage, or the way to it, had to say. */
export interface StorageFailure {
  /** HTTP status, when there was an answer. */
  status?: number | undefined;
  /** The storage's own name of the error, or the system's: NoSuchBucket, ECONNREFUSED. */
  name?: string | undefined;
  text: string;
  /** The storage no longer knows the upload. */
  uploadLost?: boolean | undefined;
}

const maxTextCharacters = 500;
/** Request Timeout, Too Early, Too Many Requests: they pass. */
const passingStatuses = new Set([408, 425, 429]);
/** Of this a retry makes nothing better: Not Implemented. */
const notImplemented = 501;

/**
 * One line with the storage's own words, for the user.
 * @param what was being written, without credentials
 * @param secrets that an answer may quote
 */
export function storageError(
  what: string,
  { status, name, text, uploadLost }: StorageFailure,
  secrets: readonly string[],
): CallreelError {
  const facts = [name, status].filter((fact) => fact !== undefined).join(', ');
  const said = printable(text, secrets);
  const message = `${what}: ${facts === '' ? '' : `${printable(facts, secrets)}: `}${said}`;
  return new CallreelError(uploadLost ? 'DESTINATION_UPLOAD_LOST' : codeOf(status), message, { where: what });
}

function codeOf(status: number | undefined): ErrorCode {
  if (status === undefined || status === notImplemented)
    return status === undefined ? 'DESTINATION_UNAVAILABLE' : 'DESTINATION_REFUSED';
  return status >= 500 || passingStatuses.has(status) ? 'DESTINATION_UNAVAILABLE' : 'DESTINATION_REFUSED';
}

function printable(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length > 3) clean = clean.replaceAll(secret, redacted);
  clean = clean.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return clean.length > maxTextCharacters ? `${clean.slice(0, maxTextCharacters)}…` : clean;
}
