import { CallreelError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { DestinationPlace } from './destination-url.ts';

export type DestinationCredentials =
  | { kind: 'access-key'; accessKeyId: string; secretAccessKey: Secret; region: string }
  | { kind: 'account-key'; accountKey: Secret }
  /** Without the question mark. */
  | { kind: 'shared-access-signature'; signature: Secret }
  | { kind: 'none' };

const maxCharacters = 4096;
/** Cloud Storage takes it for any. */
const anyRegion = 'auto';
/** As storages other than Amazon's name theirs too. */
const regionPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$/;

/**
 * The credentials of a destination, in the one string that Sinch's `credentials` is: `AccessKey:SecretKey:Region` for
 * s3 (the secret may hold colons), `AccessKey:Secret` for gs (interoperability keys), the account key or a shared
 * access signature for azure. The other schemes need none and look at none.
 * @throws CallreelError DESTINATION_INVALID that quotes nothing of them
 */
export function parseCredentials(
  scheme: DestinationPlace['scheme'],
  credentials: Secret | undefined,
): DestinationCredentials {
  if (scheme === 'sdrive' || scheme === 'file') return { kind: 'none' };
  const text = credentials?.reveal().trim() ?? '';
  if (text === '') throw invalid(`${scheme}:// needs credentials: ${forms[scheme]}`);
  if (text.length > maxCharacters || !/^[\x20-\x7e]+$/.test(text))
    throw invalid(`the credentials must be at most ${maxCharacters} ASCII characters: ${forms[scheme]}`);
  if (scheme === 's3') return s3Credentials(text);
  if (scheme === 'gs') return interoperabilityKey(text);
  return azureCredentials(text);
}

const forms = {
  s3: 'AccessKey:SecretKey:Region',
  gs: 'AccessKey:Secret, an interoperability (HMAC) key',
  azure: 'the access key of the storage account, or a shared access signature',
} as const;

function s3Credentials(text: string): DestinationCredentials {
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  const accessKeyId = text.slice(0, Math.max(first, 0));
  const secret = text.slice(first + 1, last);
  const region = text.slice(last + 1).toLowerCase();
  if (first === last || accessKeyId === '' || secret === '')
    throw invalid(`s3:// credentials are ${forms.s3}`);
  if (!regionPattern.test(region)) throw invalid(`s3:// credentials end in a region: ${forms.s3}`);
  return { kind: 'access-key', accessKeyId, secretAccessKey: new Secret(secret), region };
}

function interoperabilityKey(text: string): DestinationCredentials {
  const colon = text.indexOf(':');
  const secret = text.slice(colon + 1);
  if (colon < 1 || secret === '') throw invalid(`gs:// credentials are ${forms.gs}`);
  const accessKeyId = text.slice(0, colon);
  return { kind: 'access-key', accessKeyId, secretAccessKey: new Secret(secret), region: anyRegion };
}

function azureCredentials(text: string): DestinationCredentials {
  const query = text.replace(/^\?/, '');
  if (/(?:^|&)sig=[^&]/.test(query)) return { kind: 'shared-access-signature', signature: new Secret(query) };
  if (!base64Pattern.test(text)) throw invalid(`azure:// credentials are ${forms.azure}`);
  return { kind: 'account-key', accountKey: new Secret(text) };
}

function invalid(message: string): CallreelError {
  return new CallreelError('DESTINATION_INVALID', message, { where: 'credentials' });
}
