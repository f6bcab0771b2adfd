import type { Clock } from '../../clock.ts';
import { assertNever, CallreelError } from '../../errors.ts';
import type { Destination } from './destination.ts';
import type { DestinationCredentials } from './destination-credentials.ts';
import type { DestinationPlace } from './destination-url.ts';
import { FileDestination } from './file.ts';
import type { OwnStore } from './own-store.ts';
import type { S3Encryption } from './s3.ts';
import type { StorageEndpoint } from './storage-network.ts';

export interface DestinationSettings {
  clock: Clock;
  /** By scheme; the vendor's own address when not set. */
  endpoints?: Readonly<Partial<Record<'s3' | 'gs' | 'azure', StorageEndpoint>>>;
  s3?: { encryption?: S3Encryption | undefined; tags?: Readonly<Record<string, string>> | undefined };
  azure?: { encryptionScope?: string | undefined; tags?: Readonly<Record<string, string>> | undefined };
  /** What `file://` may lead into; nowhere when not set. */
  fileDirectories?: readonly string[];
  ownStore?: OwnStore;
}

/**
 * The vendors' libraries are loaded when the first destination needs them: together half a second and 50 MB.
 * @param credentials as `parseCredentials` gave them for the scheme of `place`
 * @throws CallreelError DESTINATION_INVALID, DESTINATION_FORBIDDEN
 */
export async function openDestination(
  place: DestinationPlace,
  credentials: DestinationCredentials,
  settings: DestinationSettings,
): Promise<Destination> {
  const { clock, endpoints = {} } = settings;
  switch (place.scheme) {
    case 's3':
    case 'gs': {
      if (credentials.kind !== 'access-key') throw mismatch(place.scheme);
      const { scheme, bucket } = place;
      const extras = scheme === 's3' ? settings.s3 : {};
      const { S3Destination } = await import('./s3.ts');
      return new S3Destination({
        scheme,
        bucket,
        credentials,
        clock,
        endpoint: endpoints[scheme],
        ...extras,
      });
    }
    case 'azure': {
      if (credentials.kind !== 'account-key' && credentials.kind !== 'shared-access-signature')
        throw mismatch(place.scheme);
      const { account, container } = place;
      const endpoint = endpoints.azure;
      const { AzureDestination } = await import('./azure.ts');
      return new AzureDestination({ account, container, credentials, clock, endpoint, ...settings.azure });
    }
    case 'sdrive':
      if (!settings.ownStore) throw forbidden('this server has no store of its own');
      return settings.ownStore;
    case 'file':
      return new FileDestination(settings.fileDirectories ?? []);
    default:
      return assertNever(place, 'scheme');
  }
}

function mismatch(scheme: string): CallreelError {
  return new CallreelError('DESTINATION_INVALID', `the credentials are not of the kind of ${scheme}://`, {
    where: 'credentials',
  });
}

function forbidden(message: string): CallreelError {
  return new CallreelError('DESTINATION_FORBIDDEN', message, { where: 'destinationUrl' });
}
