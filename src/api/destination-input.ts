import { z } from 'zod';
import { type DeliveryWish, sealedWish } from '../call/delivery-wish.ts';
import type { CredentialSeal } from '../delivery/credential-seal.ts';
import { assertAllowedPlace } from '../delivery/destinations/allowed-place.ts';
import {
  type DestinationCredentials,
  parseCredentials,
} from '../delivery/destinations/destination-credentials.ts';
import { type DestinationPlace, parseDestinationUrl } from '../delivery/destinations/destination-url.ts';
import type { DestinationSettings } from '../delivery/destinations/open-destination.ts';
import { CallreelError } from '../errors.ts';
import { Secret } from '../secret.ts';

const maxDestinationUrlLength = 2048;
const maxCredentialsLength = 4096;

export const destinationUrl = z
  .string()
  .min(1)
  .max(maxDestinationUrlLength)
  .meta({
    description:
      '`s3://`, `gs://`, `azure://`, `sdrive://` or `file://` with bucket, folder and file; a URL that ends in a slash, or ' +
      'in the bucket, gets a name made of the time, the account and the call or conference.',
    examples: ['s3://bucket/calls/'],
  });

/** Taken, and never given out. */
export const destinationCredentials = z
  .string()
  .min(1)
  .max(maxCredentialsLength)
  .meta({
    description:
      'S3: `AccessKey:SecretKey:Region`; Cloud Storage: `AccessKey:Secret`; Azure: the access key of the account, or a ' +
      'shared access signature. The right to write is enough. Kept sealed while they are needed, never given out.',
    examples: ['AKIAIOSFODNN7EXAMPLE:SECRET:eu-central-1'],
    writeOnly: true,
  });

export const destinationInput = z
  .strictObject({ url: destinationUrl, credentials: destinationCredentials.optional() })
  .meta({ description: 'Where the file is written to.' });

/** Of the server that writes recordings elsewhere. */
export interface DestinationRules {
  seal: CredentialSeal;
  settings: DestinationSettings;
}

/**
 * A place as a request names it, and whether it may be written to.
 * @param field of the request, for what is wrong with it
 * @throws CallreelError DESTINATION_INVALID, DESTINATION_FORBIDDEN
 */
export function readPlace(url: string, field: string, { settings }: DestinationRules): DestinationPlace {
  return at(field, () => {
    const place = parseDestinationUrl(url);
    assertAllowedPlace(place, settings);
    return place;
  });
}

/** Whether they have the form of the place's. @throws CallreelError DESTINATION_INVALID */
export function readCredentials(
  place: DestinationPlace,
  given: string | undefined,
  field: string,
): { secret: Secret | undefined; parsed: DestinationCredentials } {
  const secret = given === undefined ? undefined : new Secret(given);
  return { secret, parsed: at(field, () => parseCredentials(place.scheme, secret)) };
}

/**
 * What a recording is started with, as far as its destination goes.
 * @param ids stand in a generated name
 * @throws CallreelError DESTINATION_INVALID, DESTINATION_FORBIDDEN
 */
export function deliveryWish(
  input:
    | {
        destination?: z.output<typeof destinationInput> | undefined;
        format?: DeliveryWish['format'] | undefined;
        stereo?: boolean | undefined;
      }
    | undefined,
  ids: { applicationKey: string; nameId: string },
  rules: DestinationRules,
): { delivery?: DeliveryWish } {
  if (!input?.destination) return {};
  const { destination, format = 'wav', stereo = false } = input;
  const place = readPlace(destination.url, 'body.destination.url', rules);
  const { secret } = readCredentials(place, destination.credentials, 'body.destination.credentials');
  return { delivery: sealedWish({ url: destination.url, format, stereo, ...ids }, secret, rules.seal) };
}

function at<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CallreelError) throw new CallreelError(error.code, error.message, { where: field });
    throw error;
  }
}
