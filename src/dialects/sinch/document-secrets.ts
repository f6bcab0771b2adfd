import { openSecret, sealSecret } from '../../auth/sealed-secret.ts';
import { CallreelError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import { checkedSvaml } from './checked-svaml.ts';
import { isObject } from './fields.ts';
import type { SvamlOptions } from './svaml.ts';

/** Begins what stands in the place of credentials in a kept document. */
const sealedPrefix = 'sealed:';
const context = 'credentials in a SVAML document';
/** Nothing that is read of a document lies deeper. */
const maxDepth = 20;

/**
 * A document as it is kept and shown: the credentials of destinations in it are sealed. What is sealed already stays,
 * so that a document can be sent back as it was shown. One that came as a text with credentials is kept as an object.
 * @throws CallreelError DOCUMENT_INVALID with the line or the path of the first mistake
 */
export function keptDocument(
  given: unknown,
  where: string,
  masterKey: Secret<Buffer>,
  rules: SvamlOptions = {},
): unknown {
  const document = typeof given === 'string' ? jsonOf(given) : given;
  const opened = openedGiven(document, where, masterKey);
  checkedSvaml(opened === document ? given : opened, where, rules);
  const sealed = sealDocument(document, masterKey);
  return opened === document && sealed === document ? given : sealed;
}

/** @returns the very same where there are no credentials in it to be sealed */
export function sealDocument(document: unknown, masterKey: Secret<Buffer>): unknown {
  return withCredentials(document, (credentials) =>
    credentials === '' || credentials.startsWith(sealedPrefix)
      ? credentials
      : sealedPrefix + sealSecret(masterKey, context, new Secret(credentials)),
  );
}

/**
 * A kept document with its credentials as they were given.
 * @throws CallreelError SPOOL_KEY_MISSING when another master key sealed them
 */
export function openDocument(document: unknown, masterKey: Secret<Buffer>): Secret<unknown> {
  return new Secret(
    withCredentials(document, (credentials) =>
      credentials.startsWith(sealedPrefix)
        ? openSecret(masterKey, context, credentials.slice(sealedPrefix.length)).reveal()
        : credentials,
    ),
  );
}

function openedGiven(document: unknown, where: string, masterKey: Secret<Buffer>): unknown {
  try {
    return openDocument(document, masterKey).reveal();
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    const message = '40001: these credentials were sealed elsewhere: give them as the storage has them';
    throw new CallreelError('DOCUMENT_INVALID', message, { where: `${where} credentials` });
  }
}

/** Of a text that is no JSON, nothing: that is said by whoever checks it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

/** @returns the very same where nothing of it changes */
function withCredentials(value: unknown, change: (credentials: string) => string, depth = 0): unknown {
  if (depth > maxDepth) return value;
  if (Array.isArray(value)) {
    const parts = value.map((part) => withCredentials(part, change, depth + 1));
    return parts.some((part, index) => part !== value[index]) ? parts : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  const changed = entries.map(([name, part]): [string, unknown] => [
    name,
    name === 'credentials' && typeof part === 'string'
      ? change(part)
      : withCredentials(part, change, depth + 1),
  ]);
  return changed.some(([, part], index) => part !== entries[index]?.[1])
    ? Object.fromEntries(changed)
    : value;
}
