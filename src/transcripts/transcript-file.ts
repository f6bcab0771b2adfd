import { deliveryOfRecording } from '../database/deliveries.ts';
import type { Delivery } from '../database/schema.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import { type DeliveryUploadOptions, openDeliveryDestination } from '../delivery/delivery-upload.ts';
import { uploadFile } from '../delivery/destinations/upload.ts';
import { CallreelError } from '../errors.ts';
import { sinchTranscript } from '../transcription/sinch-transcript.ts';
import type { Transcript } from '../transcription/transcript.ts';

export const transcriptContentType = 'application/json';

/** `folder/call.mp3` -> `folder/call-transcript.json` */
export function transcriptKeyOf(key: string): string {
  return `${key.replace(/\.[a-z0-9]{2,4}$/i, '')}-transcript.json`;
}

export function transcriptFile(transcript: Transcript): Buffer {
  return Buffer.from(JSON.stringify(sinchTranscript(transcript)));
}

export interface DeliveredTranscript {
  key: string;
  destination: string;
  bytes: number;
}

/**
 * Writes the transcript's file beside that of its recording, with the same credentials.
 * @returns undefined where that was removed from our own store since: what lay beside it would have gone with it
 * @throws CallreelError, or the reason of `signal`
 */
export async function uploadTranscript(
  row: TranscriptRow,
  options: Pick<DeliveryUploadOptions, 'db' | 'seal' | 'settings'>,
  signal: AbortSignal,
): Promise<DeliveredTranscript | undefined> {
  const delivery = await deliveryOf(row, options);
  if (isRemoved(delivery)) return undefined;
  const content = transcriptFile(row.transcript as Transcript);
  const destination = await openDeliveryDestination(delivery, options);
  try {
    const key = transcriptKeyOf(delivery.key);
    const read = async (fromByte: number, toByte: number) => content.subarray(fromByte, toByte);
    const source = { bytes: content.length, read };
    // What a crash cuts off begins anew: it is small.
    const save = async () => undefined;
    await uploadFile(destination, { key, contentType: transcriptContentType }, source, { signal, save });
    return { key, destination: destination.urlOf(key), bytes: content.length };
  } finally {
    destination.close();
  }
}

function isRemoved({ removedAt, deliveredAt }: Delivery): boolean {
  return removedAt !== null && deliveredAt !== null && removedAt >= deliveredAt;
}

async function deliveryOf(
  { recordingId }: TranscriptRow,
  { db }: Pick<DeliveryUploadOptions, 'db'>,
): Promise<Delivery> {
  const delivery = await deliveryOfRecording(db, recordingId);
  if (delivery && delivery.key !== '') return delivery;
  throw new CallreelError('DESTINATION_INVALID', 'the recording has no destination', { where: recordingId });
}
