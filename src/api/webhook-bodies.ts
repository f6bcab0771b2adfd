import { z } from 'zod';
import type { EndReason } from '../spool/records.ts';
import { clientState } from './client-state.ts';
import { consentsBody, noticesBody } from './consent-body.ts';
import { choice, identifier, integer, moment, text } from './fields.ts';
import { endReasons } from './recording-body.ts';

const recordingStates = ['recording', 'paused', 'finished', 'no_input', 'error'] as const;
const endReason = z.enum(Object.keys(endReasons) as EndReason[]);

const shared = {
  account_id: text('The account.', 'AC0123456789abcdef'),
  conversation_id: identifier('The conversation.'),
  conference: text('Name of its conference; empty for a call by itself.', 'support'),
};

export const conversationEnded = z
  .object({
    type: z.literal('conversation.ended').meta({ description: 'What happened.' }),
    ...shared,
    start_time: moment('When the first party joined.'),
    end_time: moment('When the last party left.', '2026-09-14T08:42:17.480Z'),
    recordings: z
      .array(
        z.object({
          recording_id: identifier('The recording.'),
          reason: text('Why it ended, as of a recording.', 'conversation_ended'),
          client_state: clientState,
        }),
      )
      .meta({ description: 'Its recordings; every file of them is whole.' }),
  })
  .meta({ id: 'ConversationEnded', description: 'The last party has left.' });

export const conversationWarning = z
  .object({
    type: z.literal('conversation.warning').meta({ description: 'What happened.' }),
    ...shared,
    feature: text('What was asked for and is passed over.', 'moderator'),
    message: text('What that means, for people.', 'the feature is not there'),
  })
  .meta({ id: 'ConversationWarning', description: 'Something that was asked for is not done.' });

export const recordingChanged = z
  .object({
    type: z.literal('recording.changed').meta({ description: 'What happened.' }),
    ...shared,
    recording_id: identifier('The recording.'),
    state: choice(recordingStates, 'The state that began. The last three are ends: there is exactly one.'),
    connection_id: identifier('The call that it records by itself; null for a conference.').nullable(),
    control_id: text('The name that its starter gave it; null without one.', 'main').nullable(),
    client_state: clientState,
    at_ms: integer('When, in ms since the call was first recorded, or since the conference began.', 61_480),
    consents: consentsBody,
    notices: noticesBody,
    reason: endReason.optional().meta({ description: 'Of an end: why.', examples: ['terminator'] }),
    digit: text('Of an end: the key that ended it; null for any other.', '#').nullable().optional(),
    start_ms: integer('Of an end: where it begins, on the same clock as `at_ms`.', 400).optional(),
    recorded_ms: integer('Of an end: recorded time, pauses left out, in ms.', 48_120).optional(),
  })
  .meta({ id: 'RecordingChanged', description: 'One change of state.' });

export const recordingDelivery = z
  .object({
    type: z.literal('recording.delivery').meta({ description: 'What happened.' }),
    ...shared,
    recording_id: identifier('The recording.'),
    delivery_id: identifier('The delivery.'),
    state: choice(
      ['delivered', 'failing', 'dead'],
      'The storage has the file; the first try failed and it is tried again for days; or it was given up.',
    ),
    connection_id: identifier('The call that it records by itself; null for a conference.').nullable(),
    control_id: text('The name that its starter gave it; null without one.', 'main').nullable(),
    client_state: clientState,
    destination: text('URL of the object, without credentials.', 's3://bucket/folder/file.mp3'),
    attempts: integer('Tries by now.', 1),
    error: z
      .object({
        code: text('Our code.', 'DESTINATION_REFUSED'),
        message: text(
          'What the storage said.',
          's3://bucket/folder/file.mp3: NoSuchBucket, 404: no such bucket',
        ),
      })
      .nullable()
      .meta({ description: 'Why the last try failed; null when it did not.' }),
  })
  .meta({ id: 'RecordingDelivery', description: 'What became of a file at its destination.' });

export const recordingTranscript = z
  .object({
    type: z.literal('recording.transcript').meta({ description: 'What happened.' }),
    ...shared,
    recording_id: identifier('The recording.'),
    state: choice(
      ['done', 'dead'],
      'It is there, and delivered where there is a destination; or there is none.',
    ),
    connection_id: identifier('The call that it records by itself; null for a conference.').nullable(),
    control_id: text('The name that its starter gave it; null without one.', 'main').nullable(),
    client_state: clientState,
    locale: text('In which it was wanted.', 'en-US'),
    destination: text(
      'URL of its file; null without a destination.',
      's3://bucket/file-transcript.json',
    ).nullable(),
    error: z
      .object({
        code: text('Our code.', 'TRANSCRIPTION_LOCALE_UNSUPPORTED'),
        message: text('Why there is none.', 'Spanish (es-US) is not served'),
      })
      .nullable()
      .meta({ description: 'Of one that was given up.', examples: [null] }),
  })
  .meta({ id: 'RecordingTranscript', description: 'What became of the transcript of a recording.' });

/** What goes to the applications, by its `type`. */
export const webhooks = {
  'conversation.ended': {
    body: conversationEnded,
    operationId: 'conversationEnded',
    summary: 'To the `event_callback`, when the last party has left and every file is whole',
  },
  'conversation.warning': {
    body: conversationWarning,
    operationId: 'conversationWarning',
    summary: 'To the `event_callback`, once for each feature',
  },
  'recording.changed': {
    body: recordingChanged,
    operationId: 'recordingChanged',
    summary: 'To the `status_url` of a recording, for each change of its state, in order',
  },
  'recording.delivery': {
    body: recordingDelivery,
    operationId: 'recordingDelivery',
    summary: 'To the `status_url` of a recording with a destination, after its end',
  },
  'recording.transcript': {
    body: recordingTranscript,
    operationId: 'recordingTranscript',
    summary: 'To the `status_url` of a recording with `transcription`, once it is there or given up',
  },
} as const;
