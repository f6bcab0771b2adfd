import { z } from 'zod';
import type { Delivery } from '../database/schema.ts';
import { choice, identifier, integer, moment, text } from './fields.ts';

export const deliveryStates = ['waiting', 'uploading', 'failing', 'delivered', 'dead', 'abandoned'] as const;

export const deliveryBody = z
  .object({
    delivery_id: identifier('The delivery.'),
    recording_id: identifier('The recording whose file it is.'),
    conversation_id: identifier('Its conversation.'),
    url: text('As the recording was started with it.', 's3://bucket/calls/'),
    destination: text(
      'URL of the object that is written, without credentials.',
      's3://bucket/calls/20260914083000_AC0123456789abcdef_5f3a9c0d1e2b4a67.mp3',
    ),
    format: choice(['wav', 'mp3', 'mp4'], 'Of the file.'),
    stereo: z.boolean().meta({ description: 'Whether it has two channels.', examples: [false] }),
    state: choice(
      deliveryStates,
      '`waiting`: for the end of its recording, or for its first try; `uploading`; `failing`: a try failed, and it is tried ' +
        'again; `delivered`: the storage said that it has the whole file; `dead`: given up after days, or because trying ' +
        'again is no use; `abandoned`: there is no file, or none that may be given out.',
    ),
    attempts: integer('Tries by now, since the recording ended or since it was last asked for again.', 1),
    next_attempt_at: moment('When it is tried next; null where it is not.').nullable(),
    error: z
      .object({
        code: text('Which entry of the catalogue it is.', 'DESTINATION_REFUSED'),
        message: text(
          'With the words of the storage.',
          's3://bucket/calls/x.mp3: SignatureDoesNotMatch, 403: the signatures differ',
        ),
      })
      .nullable()
      .meta({ description: 'Of the last try that failed; null where none did.' }),
    bytes: integer('Length of the file, once it was delivered; null before.', 960_044).nullable(),
    created_at: moment('When the recording was started.'),
    delivered_at: moment('When the storage had it; null before.').nullable(),
  })
  .meta({ description: 'The way of one file to its destination.' });

export function toDeliveryBody(row: Delivery): z.output<typeof deliveryBody> {
  return {
    delivery_id: row.deliveryId,
    recording_id: row.recordingId,
    conversation_id: row.conversationId,
    url: row.url,
    destination: row.destination,
    format: row.format,
    stereo: row.stereo,
    state: row.state,
    attempts: row.attempts,
    // Of the others that is when they are cleaned up.
    next_attempt_at:
      row.state === 'waiting' || row.state === 'failing' ? (row.nextAttemptAt?.toISOString() ?? null) : null,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    bytes: row.bytes === null ? null : Number(row.bytes),
    created_at: row.createdAt.toISOString(),
    delivered_at: row.deliveredAt?.toISOString() ?? null,
  };
}
