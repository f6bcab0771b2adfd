import { CallreelError } from '../../errors.ts';
import type { Destination, StoredObject } from './destination.ts';

/** A file that is whole. */
export interface UploadSource {
  readonly bytes: number;
  /** The bytes [fromByte, toByte). */
  read(fromByte: number, toByte: number): Promise<Uint8Array>;
}

/** What must outlive the process for an upload to go on where it was. */
export interface UploadState {
  uploadId: string;
  /** By part number: parts may have gone in any order. */
  receipts: Record<number, string>;
}

export interface UploadOptions {
  signal: AbortSignal;
  /** From an earlier try. */
  state?: UploadState | undefined;
  /** Awaited before more is sent. Undefined once there is nothing to go on with. */
  save(state: UploadState | undefined): Promise<void>;
}

/**
 * Writes a whole file: at once if it fits, else in parts. Tried again with the last state after an error or a crash,
 * it sends only what was not acknowledged. An upload that the storage has lost begins anew, once.
 * @throws as `Destination`
 */
export async function uploadFile(
  destination: Destination,
  object: StoredObject,
  source: UploadSource,
  options: UploadOptions,
): Promise<void> {
  if (options.state === undefined && source.bytes <= destination.partBytes) {
    await destination.put(object, await source.read(0, source.bytes), options.signal);
    return;
  }
  const resumed = options.state !== undefined;
  try {
    await uploadParts(destination, object, source, options);
  } catch (error) {
    if (!resumed || !(error instanceof CallreelError) || error.code !== 'DESTINATION_UPLOAD_LOST')
      throw error;
    await options.save(undefined);
    await uploadFile(destination, object, source, { ...options, state: undefined });
  }
}

async function uploadParts(
  destination: Destination,
  object: StoredObject,
  source: UploadSource,
  { signal, state, save }: UploadOptions,
): Promise<void> {
  const { partBytes, maxParts } = destination;
  const parts = Math.max(1, Math.ceil(source.bytes / partBytes));
  if (parts > maxParts)
    throw new CallreelError('DESTINATION_REFUSED', `${source.bytes} bytes are more than this storage takes`, {
      where: destination.urlOf(object.key),
    });
  let current = state;
  if (!current) {
    current = { uploadId: await destination.beginUpload(object, signal), receipts: {} };
    await save(current);
  }
  const upload = { ...object, uploadId: current.uploadId };
  const receipts: string[] = [];
  for (let partNumber = 1; partNumber <= parts; partNumber++) {
    let receipt: string | undefined = current.receipts[partNumber];
    if (receipt === undefined) {
      signal.throwIfAborted();
      const fromByte = (partNumber - 1) * partBytes;
      const content = await source.read(fromByte, Math.min(source.bytes, fromByte + partBytes));
      receipt = await destination.putPart(upload, partNumber, content, signal);
      current = { ...current, receipts: { ...current.receipts, [partNumber]: receipt } };
      await save(current);
    }
    receipts.push(receipt);
  }
  await destination.completeUpload(upload, receipts, signal);
  await save(undefined);
}
