import { pathToFileURL } from 'node:url';
import type { DeliveryTarget } from '../database/deliveries.ts';
import { assertNever } from '../errors.ts';
import { type DestinationPlace, parseDestinationUrl } from './destinations/destination-url.ts';
import { generatedFileName, keyAt, namesFile, ownStoreKey } from './destinations/object-name.ts';

/** What a name is made of. */
export interface NamedFile {
  url: string;
  /** Unix time at which the recording was started. */
  startedAtMs: number;
  applicationKey: string;
  nameId: string;
  format: string;
}

/**
 * The names that a file can be given. Two with the same `nameGroup` need two ordinals; it is null where the user named
 * the file.
 * @throws CallreelError DESTINATION_INVALID
 */
export function deliveryNames({ url, startedAtMs, applicationKey, nameId, format }: NamedFile): {
  nameGroup: string | null;
  targetOf(ordinal: number): DeliveryTarget;
} {
  const place = parseDestinationUrl(url);
  const isGenerated = !namesFile(place.path);
  const targetOf = (ordinal: number): DeliveryTarget => {
    const name = generatedFileName({ startedAtMs, applicationKey, id: nameId, format, ordinal });
    const given = keyAt(place, name);
    const isOwn = place.scheme === 'sdrive' && !isGenerated;
    const key = isOwn ? ownStoreKey(applicationKey, given) : given;
    return { key, ...objectAt(place, key) };
  };
  const first = targetOf(1);
  return { nameGroup: isGenerated ? first.destination : null, targetOf };
}

/** As `Destination.urlOf` has them. */
function objectAt(place: DestinationPlace, key: string): { destination: string; place: string } {
  const { scheme } = place;
  switch (scheme) {
    case 's3':
    case 'gs':
      return within(`${scheme}://${place.bucket}`, key);
    case 'azure':
      return within(`azure://${place.account}/${place.container}`, key);
    case 'sdrive':
      return { destination: `sdrive://${key}`, place: 'sdrive://' };
    case 'file':
      return { destination: pathToFileURL(key).href, place: 'file://' };
    default:
      return assertNever(place, 'scheme');
  }
}

function within(place: string, key: string): { destination: string; place: string } {
  return { destination: `${place}/${key}`, place };
}
