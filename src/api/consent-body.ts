import { z } from 'zod';
import type { RecordingEvidence } from '../call/recording-evidence.ts';
import { noticeOutcomes } from '../spool/records.ts';
import { choice, identifier, integer, moment, text } from './fields.ts';

const connection = 'The call of the party.';

const consentBody = z
  .object({
    method: text('How it was given.', 'voice'),
    who: text('Who gave it.', '+15558881188'),
    at: moment('When it was given.'),
    connection_ids: z.array(identifier(connection)).meta({ description: 'Whose consent it is.' }),
    audio_offset_ms: integer(
      'Where in the audio it was given, in ms since the call was first recorded, or since the conference began.',
      4200,
    ).nullable(),
    notice_ms: integer(
      'How much of the notice they had really been sent by then, in ms; of several parties the least. Without a ' +
        'notice of the recording what was told with the consent; null where nothing was.',
      3800,
    ).nullable(),
    clips: z
      .array(
        z.object({
          clip_id: identifier('The clip, for `GET /v1/recordings/{id}/consent-clips/{clip_id}`.'),
          connection_id: identifier(connection),
          start_ms: integer('Where it begins, on the same clock as `audio_offset_ms`.', 1900),
          duration_ms: integer('How long it is, in ms.', 2300),
        }),
      )
      .meta({ description: 'What they said before, where it is kept (`keep_consent_clip`).' }),
  })
  .meta({ id: 'Consent', description: 'One consent to a recording.' });

const noticeBody = z
  .object({
    connection_id: identifier(connection),
    at_ms: integer(
      'When it began to be heard, in ms since the call was first recorded, or since the conference began.',
      1200,
    ),
    played_ms: integer('What the party was really sent of it, in ms: nothing while it was on hold.', 3800),
    length_ms: integer('How long it is, in ms; 0 where it could not be had.', 3800),
    outcome: choice(
      noticeOutcomes,
      'How it ended: it came to its end (`played`), or did so without a part that was not sent, as on hold (`partial`), ' +
        'the party pressed a key (`key`), left or hung up (`left`), the ' +
        'recording ended first (`stopped`), or there was nothing to play (`failed`).',
    ),
    reason: text('Code of the error; null where none was.', 'AUDIO_UNREACHABLE')
      .nullable()
      .meta({ examples: [null] }),
  })
  .meta({ id: 'Notice', description: 'What one party heard of the notice of a recording.' });

export const consentsBody = z.array(consentBody).meta({ description: 'Who consented, in that order.' });
export const noticesBody = z
  .array(noticeBody)
  .meta({ description: 'What each party heard of the notice, in the order in which that ended.' });

export function toEvidenceBody({ consents, notices }: RecordingEvidence): {
  consents: z.output<typeof consentsBody>;
  notices: z.output<typeof noticesBody>;
} {
  return {
    consents: consents.map(({ method, who, at, connectionIds, audioOffsetMs, noticeMs, clips }) => ({
      ...{ method, who, at },
      connection_ids: connectionIds,
      audio_offset_ms: audioOffsetMs ?? null,
      notice_ms: noticeMs ?? null,
      clips: clips.map(({ clipId, connectionId, startMs, durationMs }) => ({
        ...{ clip_id: clipId, connection_id: connectionId, start_ms: startMs, duration_ms: durationMs },
      })),
    })),
    notices: notices.map(({ connectionId, atMs, playedMs, lengthMs, outcome, reason }) => ({
      ...{ connection_id: connectionId, at_ms: atMs, played_ms: playedMs, length_ms: lengthMs, outcome },
      reason: reason ?? null,
    })),
  };
}
