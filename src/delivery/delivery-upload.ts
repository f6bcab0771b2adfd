import { createHash } from 'node:crypto';
import { changeDelivery } from '../database/deliveries.ts';
import type { Db, Delivery } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { type CredentialSeal, credentialsAbout } from './credential-seal.ts';
import type { Destination, StoredObject } from './destinations/destination.ts';
import { parseCredentials } from './destinations/destination-credentials.ts';
import { parseDestinationUrl } from './destinations/destination-url.ts';
import { type DestinationSettings, openDestination } from './destinations/open-destination.ts';
import { type UploadSource, uploadFile } from './destinations/upload.ts';
import { type KeptUpload, parseKeptUpload } from './kept-upload.ts';
import { type Renders, RenditionSource } from './rendition-source.ts';

export interface DeliveryUploadOptions {
  db: Db;
  seal: CredentialSeal;
  settings: DestinationSettings;
  renders: Renders;
  /** Names how files are made; another version or setting makes other bytes of the same audio. */
  rendering: string;
  /** Files that were encoded while their recordings went on. */
  encoded?: { take(recordingId: string): Promise<Uint8Array | undefined>; drop(recordingId: string): void };
}

export const contentTypes = { wav: 'audio/wav', mp3: 'audio/mpeg', mp4: 'audio/mp4' } as const;

export function objectOf({ key, format }: Pick<Delivery, 'key' | 'format'>): StoredObject {
  return { key, contentType: contentTypes[format] };
}

export function renditionOf({ conversationId, recordingId, format, stereo }: Delivery): RenditionRequest {
  const kind = stereo ? 'stereo' : 'mix';
  return { conversationId, recordingId, kind, format, trackId: undefined };
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
  const { db, rendering } = options;
  const { deliveryId } = row;
  const destination = await openDeliveryDestination(row, options);
  let source: DeliverySource | undefined;
  try {
    source = await openSource(row, options);
    const { bytes } = source;
    const object = objectOf(row);
    const keep = (upload: KeptUpload | null) => changeDelivery(db, deliveryId, { upload });
    let state = parseKeptUpload(row.upload);
    if (state && (state.rendering !== rendering || (state.bytes ?? bytes) !== bytes)) {
      await destination.abortUpload({ ...object, uploadId: state.uploadId }, signal);
      await keep(null);
      state = undefined;
    }
    if (state?.early) {
      state = await compared(state, source, destination.partBytes, signal);
      await keep({ ...state, rendering, bytes });
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

/** Parts that were sent while the recording went on and are others in the file are sent again. */
async function compared(
  { early, ...state }: KeptUpload,
  source: UploadSource,
  partBytes: number,
  signal: AbortSignal,
): Promise<KeptUpload> {
  const receipts: Record<number, string> = {};
  for (const [part, receipt] of Object.entries(state.receipts)) {
    signal.throwIfAborted();
    const fromByte = (Number(part) - 1) * partBytes;
    const toByte = Math.min(source.bytes, fromByte + partBytes);
    if (fromByte >= toByte) continue;
    const content = await source.read(fromByte, toByte);
    if (early?.[Number(part)] === digestOf(content)) receipts[Number(part)] = receipt;
  }
  return { ...state, receipts };
}

type DeliverySource = UploadSource & Pick<RenditionSource, 'close'>;

/** @throws CallreelError as `RenditionSource.open` */
async function openSource(
  row: Delivery,
  { renders, encoded }: DeliveryUploadOptions,
): Promise<DeliverySource> {
  const rendition = await RenditionSource.open(renders, renditionOf(row));
  const file = await encoded?.take(row.recordingId);
  if (file?.length !== rendition.bytes) return rendition;
  await rendition.close();
  const read = async (fromByte: number, toByte: number) => file.subarray(fromByte, toByte);
  return { bytes: file.length, read, close: async () => undefined };
}

export function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64');
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
