import { z } from 'zod';
import type { RecordingWishes } from '../call/recording.ts';
import { evidenceOf } from '../call/recording-evidence.ts';
import { type AudioFileFormat, audioFileFormats } from '../container/audio-file.ts';
import type { Channel, Recording } from '../database/schema.ts';
import type { LegReport } from '../media/control.ts';
import type { EndReason } from '../spool/records.ts';
import { clientState } from './client-state.ts';
import { consentsBody, noticesBody, toEvidenceBody } from './consent-body.ts';
import { callDirection, choice, flag, identifier, integer, moment, number, text } from './fields.ts';
import { stayMediaBody, toStayMedia } from './media-body.ts';
import type { MediaUrl } from './media-url.ts';
import { qualityBody, toQuality } from './quality-body.ts';

const link =
  'A signed link: any client can fetch it for 24 hours, without a header; it answers ranges once the recording ended.';
const fileExample =
  'https://callreel.example.com/media/recordings/5f3a9c0d1e2b4a67/mix.wav?expires=…&signature=…';
const files = z.object({
  wav_file: text(`WAV, 16 bits. ${link}`, fileExample),
  mp3_file: text(`MP3. ${link}`, fileExample.replace('.wav', '.mp3')),
  mp4_file: text(`MP4 (AAC). ${link}`, fileExample.replace('.wav', '.mp4')),
});

export const endReasons = {
  stopped: 'it was told to stop.',
  conversation_ended: 'the last party left.',
  call_ended: 'the call that it records was hung up.',
  terminator: 'a key was pressed that ends it.',
  max_length: 'it is as long as it was to become.',
  end_silence: 'nobody spoke any more.',
  no_input: 'nobody spoke at all.',
  consent_withdrawn: 'consent was withdrawn; nothing of it is left.',
  no_consent: 'the consent that it waited for was never given; it holds nothing.',
  no_media: 'it was stopped, or its call or conversation ended, and not one packet came.',
  interrupted: 'a crash, up to which it is whole.',
  error: 'it never came to life.',
} satisfies Record<EndReason, string>;

export const recordingBody = z.object({
  recording_id: identifier('The recording.'),
  conversation_id: identifier('The conversation it records.'),
  state: choice(
    ['waiting', 'recording', 'paused', 'ended'],
    'What it does: it waits for a beep or for consent, records, is paused; it has ended once everything of it is on disk.',
  ),
  reason: z
    .enum(Object.keys(endReasons) as EndReason[])
    .nullable()
    .meta({
      description: `Why it ended; null while it goes on. ${Object.entries(endReasons)
        .map(([reason, meaning]) => `\`${reason}\`: ${meaning}`)
        .join(' ')}`,
      examples: ['conversation_ended'],
    }),
  rate_hz: integer('Samples a second of every file, in Hz.', 8000),
  started_at: moment('When it began.'),
  ended_at: moment('When it ended; null while it goes on.', '2026-09-14T08:42:17.480Z').nullable(),
  duration_ms: integer('From its beginning to its end, in ms; null while it goes on.', 737_480).nullable(),
  erased_at: moment('When it was erased; null for one that is there.')
    .nullable()
    .meta({
      examples: [null],
    }),
  client_state: clientState,
  connection_id: identifier('The call that it records by itself; null for a conference.').nullable(),
  control_id: text('The name that its starter gave it; null without one.', 'main').nullable(),
  format: choice(audioFileFormats, 'Of the file that `url` gives.'),
  stereo: flag('Whether that file has two channels.', false),
  url: text(
    'The file that it was started for, known from the start: 202 with `Retry-After` until it is whole, complete from ' +
      `the moment a stop is answered. ${link}`,
    fileExample.replace('mix.', 'file.'),
  ),
  file: z
    .object({
      state: choice(
        ['written', 'failed'],
        'Whether it is whole and on the disk; one that failed is tried again.',
      ),
      path: text('Where it is.', '/var/recordings/2026/09/14/20260914083000-5f3a9c0d1e2b4a67.wav').nullable(),
      reason: text('Code of the error; null for one that is written.', 'FILE_UNUSABLE')
        .nullable()
        .meta({ examples: [null] }),
    })
    .nullable()
    .meta({
      description: 'The file on the server (`recording.files`); null before it is whole, and where none is.',
    }),
  recorded_ms: integer('Recorded time, pauses left out, in ms; null until it ended.', 731_020).nullable(),
  digit: text('The key that ended it; null for any other end.', '#').nullable(),
  quality: qualityBody.meta({
    description: 'How well everybody could be heard, of the mix; null until it ended and was measured.',
  }),
  consents: consentsBody,
  notices: noticesBody,
});

/** What was asked of its file. */
export function fileWishes({ wishes }: Recording): { format: AudioFileFormat; stereo: boolean } {
  const { format, stereo } = (wishes ?? {}) as RecordingWishes;
  return { format: format ?? 'wav', stereo: stereo ?? false };
}

const channelBody = z.object({
  channel_id: identifier('The channel: one stay of a party.'),
  connection_id: identifier('The call of the party; two stays of it have the same.'),
  from: text('Who called: a number in E.164, or a SIP URI.', '+15558881188'),
  to: text('Who was called.', '+15557772277'),
  direction: callDirection(),
  start_ms: integer('When the party joined, in ms since the conversation began.', 2140),
  end_ms: integer(
    'When it left, in ms since the conversation began; null while it is there.',
    700_120,
  ).nullable(),
  no_media: flag(
    'Not one packet of this party was recorded; null while the recording goes on.',
    false,
  ).nullable(),
  quality: qualityBody.meta({
    description: 'How well this party could be heard; null until the recording ended and was measured.',
  }),
  drift_ppm: number(
    "How much slower this party's clock runs than the server's, in parts per million, below 0 where it is fast: the " +
      'files are corrected by it. Null until the recording ended and was measured, and where it is not known: of calls ' +
      'under a minute and a half.',
    -41.7,
  ).nullable(),
  media: stayMediaBody.nullable().meta({
    description:
      'Loss, jitter and codecs of this stay; null while the recording goes on, and where a crash lost them.',
  }),
  ...files.shape,
});

export const wholeRecordingBody = z
  .object({
    ...recordingBody.shape,
    mix: files.meta({
      description: 'Everybody in one channel, from the beginning of the recording to its end.',
    }),
    stereo_mix: files.meta({
      description:
        'The same in two channels: of a call what the party says on the left, what it hears on the right; of a ' +
        'conference the party that joined first on the left, all others on the right.',
    }),
    channels: z.array(channelBody).meta({
      description: 'Each stay of each party, in the order of joining; there once the recording ended.',
    }),
  })
  .meta({ description: 'The recording, with links to its files.' });

export function toRecordingBody(row: Recording, mediaUrl: MediaUrl): z.output<typeof recordingBody> {
  const { startSample, endSample, rateHz, recordedSamples } = row;
  const { format, stereo } = fileWishes(row);
  const toMs = (samples: number) => Math.round((samples * 1000) / rateHz);
  return {
    recording_id: row.recordingId,
    conversation_id: row.conversationId,
    state: row.state,
    reason: row.reason as EndReason | null,
    rate_hz: rateHz,
    started_at: row.startedAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
    duration_ms: endSample === null ? null : toMs(endSample - startSample),
    erased_at: row.erasedAt?.toISOString() ?? null,
    client_state: row.clientState,
    connection_id: row.connectionId,
    control_id: row.controlId,
    ...{ format, stereo },
    url: mediaUrl(row.recordingId, undefined, format, 'file'),
    file: row.fileState && { state: row.fileState, path: row.filePath, reason: row.fileReason },
    recorded_ms: recordedSamples === null ? null : toMs(recordedSamples),
    digit: row.digit,
    quality: toQuality(row.quality),
    ...toEvidenceBody(evidenceOf(row)),
  };
}

export function toWholeRecordingBody(
  row: Recording,
  channels: readonly Channel[],
  mediaUrl: MediaUrl,
): z.output<typeof wholeRecordingBody> {
  const { recordingId } = row;
  return {
    ...toRecordingBody(row, mediaUrl),
    mix: toFiles((format) => mediaUrl(recordingId, undefined, format)),
    stereo_mix: toFiles((format) => mediaUrl(recordingId, undefined, format, 'stereo')),
    channels: channels.map((channel) => toChannel(channel, row, mediaUrl)),
  };
}

function toFiles(urlOf: (format: AudioFileFormat) => string): z.output<typeof files> {
  return { wav_file: urlOf('wav'), mp3_file: urlOf('mp3'), mp4_file: urlOf('mp4') };
}

function toChannel(row: Channel, recording: Recording, mediaUrl: MediaUrl): z.output<typeof channelBody> {
  const { recordingId, channelId } = row;
  const toSample = (atMs: number) =>
    Math.round(((row.startMs + atMs) * recording.rateHz) / 1000) - recording.startSample;
  return {
    channel_id: channelId,
    connection_id: row.connectionId,
    from: row.from,
    to: row.to,
    direction: row.direction,
    start_ms: row.startMs,
    end_ms: row.endMs,
    no_media: row.noMedia,
    quality: toQuality(row.quality),
    drift_ppm: toDriftPpm(row.quality?.driftPpm),
    media: row.media ? toStayMedia(row.media as LegReport, toSample) : null,
    ...toFiles((format) => mediaUrl(recordingId, channelId, format)),
  };
}

function toDriftPpm(driftPpm: number | null | undefined): number | null {
  return driftPpm === null || driftPpm === undefined ? null : Math.round(driftPpm * 10) / 10;
}
