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
  /** Without a status: waiting makes it no better. */
  lasting?: boolean | undefined;
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
  failure: StorageFailure,
  secrets: readonly string[],
): CallreelError {
  const facts = [failure.name, failure.status].filter((fact) => fact !== undefined).join(', ');
  const said = printable(failure.text, secrets);
  const message = `${what}: ${facts === '' ? '' : `${printable(facts, secrets)}: `}${said}`;
  return new CallreelError(codeOf(failure), message, { where: what });
}

function codeOf({ status, uploadLost, lasting }: StorageFailure): ErrorCode {
  if (uploadLost) return 'DESTINATION_UPLOAD_LOST';
  if (status === undefined) return lasting ? 'DESTINATION_REFUSED' : 'DESTINATION_UNAVAILABLE';
  const passes = passingStatuses.has(status) || (status >= 500 && status !== notImplemented);
  return passes ? 'DESTINATION_UNAVAILABLE' : 'DESTINATION_REFUSED';
}

function printable(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length > 3) clean = clean.replaceAll(secret, redacted);
  clean = clean.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return clean.length > maxTextCharacters ? `${clean.slice(0, maxTextCharacters)}…` : clean;
}
