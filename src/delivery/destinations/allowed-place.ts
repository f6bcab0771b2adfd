import { relative, sep } from 'node:path';
import { CallreelError } from '../../errors.ts';
import type { DestinationPlace } from './destination-url.ts';
import type { DestinationSettings } from './open-destination.ts';

/**
 * What can be said of a place before anything is to be written: whether the operator lets recordings go there. Where
 * links on the disk lead, the driver looks when it writes.
 * @throws CallreelError DESTINATION_FORBIDDEN
 */
export function assertAllowedPlace(
  place: DestinationPlace,
  { fileDirectories = [], ownStore }: Pick<DestinationSettings, 'fileDirectories' | 'ownStore'>,
): void {
  if (place.scheme === 'sdrive' && !ownStore) throw forbidden('this server has no store of its own');
  if (place.scheme !== 'file' || fileDirectories.some((directory) => isWithin(directory, place.path))) return;
  throw forbidden(
    fileDirectories.length === 0
      ? 'this server writes to no directories'
      : 'this server does not write to that directory',
  );
}

function isWithin(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

function forbidden(message: string): CallreelError {
  return new CallreelError('DESTINATION_FORBIDDEN', message, { where: 'destinationUrl' });
}
