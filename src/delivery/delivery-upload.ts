import { changeDelivery } from '../database/deliveries.ts';
import type { Db, Delivery } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { type CredentialSeal, credentialsAbout } from './credential-seal.ts';
import type { Destination, StoredObject } from './destinations/destination.ts';
import { parseCredentials } from './destinations/destination-credentials.ts';
import { parseDestinationUrl } from './destinations/destination-url.ts';
import { type DestinationSettings, openDestination } from './destinations/open-destination.ts';
import { uploadFile } from './destinations/upload.ts';
import { type KeptUpload, parseKeptUpload } from './kept-upload.ts';
import { type Renders, RenditionSource } from './rendition-source.ts';

export interface DeliveryUploadOptions {
  db: Db;
  seal: CredentialSeal;
  settings: DestinationSettings;
  renders: Renders;
  /** Names how files are made; another version or setting makes other bytes of the same audio. */
  rendering: string;
}

export const contentTypes = { wav: 'audio/wav', mp3: 'audio/mpeg', mp4: 'audio/mp4' } as const;

export function objectOf({ key, format }: Pick<Delivery, 'key' | 'format'>): StoredObject {
  return { key, contentType: contentTypes[format] };
}

/** @throws CallreelError DESTINATION_INVALID, DESTINATION_FORBIDDEN, SPOOL_KEY_MISSING */
export async function openDeliveryDestination(
  row: Delivery,
  { seal, settings }: Pick<DeliveryUploadOptions, 'seal' | 'settings'>,
): Promise<Destination> {
  const place = parseDestinationUrl(row.url);
  const { sealedCredentials } = row;
  const credentials =
    sealedCredentials === null ? undefined : seal.open(sealedCredentials, credentialsAbout(row));
  return await openDestination(place, parseCredentials(place.scheme, credentials), settings);
}

/**
 * Writes the file of a delivery to its destination, from where the last try came to.
 * @returns its bytes
 * @throws CallreelError, or the reason of `signal`
 */
export async function uploadDelivery(
  row: Delivery,
  options: DeliveryUploadOptions,
  signal: AbortSignal,
): Promise<number> {
  const { db, renders, rendering } = options;
  const { deliveryId, conversationId, recordingId, format, stereo } = row;
  const kind = stereo ? 'stereo' : 'mix';
  const destination = await openDeliveryDestination(row, options);
  let source: RenditionSource | undefined;
  try {
    source = await RenditionSource.open(renders, {
      ...{ conversationId, recordingId, kind, format, trackId: undefined },
    });
    const { bytes } = source;
    const object = objectOf(row);
    const keep = (upload: KeptUpload | null) => changeDelivery(db, deliveryId, { upload });
    let state = parseKeptUpload(row.upload);
    if (state && (state.rendering !== rendering || (state.bytes ?? bytes) !== bytes)) {
      await destination.abortUpload({ ...object, uploadId: state.uploadId }, signal);
      await keep(null);
      state = undefined;
    }
    await uploadFile(destination, object, source, {
      signal,
      state,
      save: async (next) => void (await keep(next ? { ...next, rendering, bytes } : null)),
    });
    return bytes;
  } finally {
    await source?.close();
    destination.close();
  }
}

/**
 * Frees what an unfinished upload of the row took.
 * @throws CallreelError when the storage did not do so
 */
export async function abortDeliveryUpload(
  row: Delivery,
  options: Pick<DeliveryUploadOptions, 'seal' | 'settings'>,
  signal: AbortSignal,
): Promise<void> {
  const upload = parseKeptUpload(row.upload);
  if (!upload) return;
  const destination = await openDeliveryDestination(row, options);
  try {
    await destination.abortUpload({ ...objectOf(row), uploadId: upload.uploadId }, signal);
  } catch (error) {
    if (error instanceof CallreelError && error.code === 'DESTINATION_UPLOAD_LOST') return;
    throw error;
  } finally {
    destination.close();
  }
}
