import { z } from 'zod';
import type { ListedTranscript } from '../database/transcript-search.ts';
import type { TranscriptRow } from '../database/transcript-table.ts';
import type { SpokenText } from '../transcription/spoken-text.ts';
import type { Transcript } from '../transcription/transcript.ts';
import { transcriptLines } from '../transcription/transcript-lines.ts';
import { choice, identifier, integer, moment, number, text } from './fields.ts';

export const transcriptStates = ['waiting', 'running', 'failing', 'done', 'dead', 'abandoned'] as const;

const speaker = text('Who: numbered in the order of their legs.', 'Speaker 1');
const state = choice(
  transcriptStates,
  'What is done about it: it waits, is made or delivered, failed and is tried again, is there, was given up; ' +
    'or there was nothing to hear.',
);
const locale = text('In which it was wanted.', 'en-US');
const error = z
  .object({
    code: text('Our code.', 'TRANSCRIPTION_UNAVAILABLE'),
    message: text('What went wrong.', 'the server does not answer'),
  })
  .nullable()
  .meta({ description: 'Of the last try that failed.', examples: [null] });
const startMs = integer('Where it begins in the file of the recording, in ms.', 1020);
const endMs = integer('Where it ends, in ms.', 2480);
const said = text('What was said.', 'Hello? This is Ann.');
const confidence = number('0 to 1; null of engines that tell none.', 0.93).nullable();
export const transcriptBody = z
  .object({
    recording_id: identifier('The recording.'),
    state,
    locale,
    engine: text(
      'The engine and its model; null before it is made.',
      'embedded moonshine-base-en',
    ).nullable(),
    text: text('All that was said; null before it is made.', 'Hello? This is Ann.').nullable(),
    lines: z
      .array(z.object({ speaker_label: speaker, start_ms: startMs, end_ms: endMs, text: said }))
      .meta({ description: 'What each said, by time: until another began or it was silent for 0.8 s.' }),
    utterances: z
      .array(
        z.object({
          ...{ speaker_label: speaker, start_ms: startMs, end_ms: endMs, text: said, confidence },
          words: z
            .array(
              z.object({
                text: text('The word.', 'Hello?'),
                ...{ start_ms: startMs, end_ms: endMs, confidence },
              }),
            )
            .nullable()
            .meta({ description: 'Null of engines that tell no times of words.' }),
        }),
      )
      .meta({ description: 'What the lines are made of, by time: what each said without a longer pause.' }),
    channels: z
      .array(
        z.object({
          speaker_label: speaker,
          channel_id: identifier('Its channel of the recording; of a party with several stays the first.'),
        }),
      )
      .meta({ description: 'Whose audio was listened to, each by itself.' }),
    duration_ms: integer('How much was listened to, in ms; null before it is made.', 734_480).nullable(),
    marks: z
      .array(
        z.object({
          kind: choice(
            ['pause', 'hold', 'dtmf', 'unrecognized'],
            'The recording was paused; the speaker held the call or was held; pressed a key; or said what was not ' +
              'understood.',
          ),
          speaker_label: speaker.nullable(),
          digit: text('The key; null of what is no key.', '5').nullable(),
          start_ms: startMs,
          end_ms: integer('Where it ends, in ms; of a key the same.', 1020),
        }),
      )
      .meta({ description: 'What else happened, by time.' }),
    destination: text(
      'URL of its file, once it is delivered.',
      's3://bucket/file-transcript.json',
    ).nullable(),
    attempts: integer('Tries of what it is at.', 1),
    error,
  })
  .meta({ description: 'The transcript, as far as it is made.' });
export const listedTranscriptBody = z
  .object({
    recording_id: identifier('The recording.'),
    conversation_id: identifier('Its conversation.'),
    started_at: moment('When it began.'),
    state,
    locale,
    error,
    hits: z
      .array(
        z.object({
          offset_ms: integer('Where in the file of the recording, in ms.', 1020),
          speaker_label: speaker,
          text: text('What was said there.', 'Hello? This is Ann.'),
        }),
      )
      .meta({ description: 'With `q`: where any of the words was said, or a phrase began; at most 100.' }),
  })
  .meta({ description: 'A recording that is transcribed.' });

export function toTranscriptBody(row: TranscriptRow): z.output<typeof transcriptBody> {
  const transcript = row.transcript as Transcript | null;
  const { recordingId, destination, attempts } = row;
  return {
    ...{ recording_id: recordingId, state: row.state, locale: row.locale, destination, attempts },
    engine: transcript?.engine ?? null,
    text: transcript && row.text,
    lines: transcript ? linesOf(transcript) : [],
    utterances: transcript ? utterancesOf(transcript) : [],
    channels:
      transcript?.channels.map(({ speakerLabel, id }) => ({ speaker_label: speakerLabel, channel_id: id })) ??
      [],
    duration_ms: transcript && toMs(transcript.durationSamples, transcript.rateHz),
    marks: transcript ? marksOf(transcript) : [],
    error: errorOf(row),
  };
}

export function toListedTranscriptBody(row: ListedTranscript): z.output<typeof listedTranscriptBody> {
  const { recordingId, conversationId, createdAt } = row;
  return {
    ...{ recording_id: recordingId, conversation_id: conversationId },
    ...{ started_at: createdAt.toISOString(), state: row.state, locale: row.locale, error: errorOf(row) },
    hits: row.hits.map((hit) => ({
      offset_ms: toMs(hit.fromSample, hit.rateHz),
      speaker_label: hit.speakerLabel,
      text: hit.text,
    })),
  };
}

function errorOf({ errorCode: code, errorMessage }: Pick<TranscriptRow, 'errorCode' | 'errorMessage'>) {
  return code === null ? null : { code, message: errorMessage ?? '' };
}

function linesOf(transcript: Transcript): z.output<typeof transcriptBody>['lines'] {
  const { channels, rateHz } = transcript;
  return transcriptLines(transcript).map(({ channel, fromSample, toSample, text: said }) => ({
    speaker_label: channels[channel]!.speakerLabel,
    start_ms: toMs(fromSample, rateHz),
    end_ms: toMs(toSample, rateHz),
    text: said,
  }));
}

function utterancesOf({
  channels,
  utterances,
  rateHz,
}: Transcript): z.output<typeof transcriptBody>['utterances'] {
  const placed = ({ fromSample, toSample, text: words, confidence: sure }: SpokenText) => ({
    ...{ start_ms: toMs(fromSample, rateHz), end_ms: toMs(toSample, rateHz), text: words },
    confidence: sure ?? null,
  });
  return utterances.map(({ channel, words, ...spoken }) => ({
    ...{ speaker_label: channels[channel]!.speakerLabel, ...placed(spoken) },
    words: words?.map(placed) ?? null,
  }));
}

function marksOf({ channels, marks, rateHz }: Transcript): z.output<typeof transcriptBody>['marks'] {
  return marks.map((mark) => ({
    kind: mark.kind,
    speaker_label: 'channel' in mark ? channels[mark.channel]!.speakerLabel : null,
    digit: mark.kind === 'dtmf' ? mark.digit : null,
    start_ms: toMs(mark.fromSample, rateHz),
    end_ms: toMs(mark.toSample, rateHz),
  }));
}

function toMs(sample: number, rateHz: number): number {
  return Math.round((sample * 1000) / rateHz);
}
