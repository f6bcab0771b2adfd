import { z } from 'zod';
import type { Notice } from '../call/notice.ts';
import { maxControlIdCharacters, type RecordingWishes } from '../call/recording.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import { maxTimerMs } from '../media/recorder-options.ts';
import { maxTextCharacters } from '../speech/text-to-speech.ts';
import { pauseBehaviours } from '../spool/records.ts';
import { clientStateInput } from './client-state.ts';
import { destinationInput } from './destination-input.ts';
import { choice, flag } from './fields.ts';

const maxUrlLength = 2000;

/** A language as an application names it. */
export const localeInput = z
  .string()
  .max(35)
  .regex(/^[a-z]{2,3}([-_][a-z\d]{2,8}){0,3}$/i, 'expected a locale, as en-US');

/** 0 turns it off. */
function timer(description: string, example: number) {
  return z
    .int()
    .min(0)
    .max(maxTimerMs)
    .meta({ description: `${description} In ms, 0: never.`, examples: [example] })
    .optional();
}

/** What a recording is started with; each is described where it is read (docs/recording.md). */
const recordingFields = z.strictObject({
  client_state: clientStateInput,
  control_id: z
    .string()
    .min(1)
    .max(maxControlIdCharacters)
    .meta({
      description:
        'A name of your own. Unique among the recordings that run on this call or conference; once one has ended, ' +
        'another may have it.',
      examples: ['main'],
    })
    .optional(),
  status_url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(maxUrlLength)
    .meta({
      description: 'Gets one signed POST for each change of state.',
      examples: ['https://app.example.com/recordings'],
    })
    .optional(),
  format: choice(['wav', 'mp3', 'mp4'], 'Of the file that `url` gives. wav unless given.').optional(),
  stereo: flag(
    'Whether the file has two channels: left what the party says, right what it hears; of a conference left the ' +
      'party that joined first, right all others. One channel unless given.',
  ).optional(),
  direction: choice(
    ['both', 'speak', 'listen'],
    'Of a call: what the party says (`speak`), what it hears (`listen`), or both, which is usual.',
  ).optional(),
  terminators: z
    .string()
    .regex(/^[0-9*#A-D]{0,16}$/, 'expected keys: 0-9, *, #, A-D')
    .meta({ description: 'Keys of the party that end the recording.', examples: ['#'] })
    .optional(),
  beep: flag('A tone to the party before it begins; not in the file.').optional(),
  warning_tone_interval_ms: z
    .int()
    .min(1000)
    .max(maxTimerMs)
    .meta({
      description: 'A short tone to everybody so often while it records, in ms. None unless given.',
      examples: [15_000],
    })
    .optional(),
  input_sensitivity: z
    .number()
    .min(0)
    .max(100)
    .meta({
      description: 'The higher, the more is taken for speech. 44 unless given.',
      examples: [44],
    })
    .optional(),
  initial_timeout_ms: timer('Nobody spoke for so long from the beginning: it ends with `no_input`.', 10_000),
  end_silence_timeout_ms: timer('So long after the last word it ends.', 3000),
  max_length_ms: timer('It ends at so much recorded time; pauses do not count.', 600_000),
  trim: flag(
    'Whether silence before the first and behind the last word is left out of the files.',
  ).optional(),
  consent: choice(
    ['required'],
    '`required`: nothing of a party is recorded before its `POST /v1/recordings/{id}/consent`.',
  ).optional(),
  notice_text: z
    .string()
    .min(1)
    .max(maxTextCharacters)
    .meta({
      description:
        'Spoken to each party when it comes into the recording, at its start or later; a key of the party ends it. ' +
        'This or `notice_url`. At most two minutes.',
      examples: ['This call is recorded.'],
    })
    .optional(),
  notice_voice: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'Voice of `notice_text`, by its name in the engine.', examples: ['slt'] })
    .optional(),
  notice_url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(maxUrlLength)
    .meta({
      description: 'A WAV or MP3 file, as `notice_text`.',
      examples: ['https://app.example.com/notice.wav'],
    })
    .optional(),
  destination: destinationInput.optional().meta({
    description:
      'Where the file is written to once the recording has ended, as `format` and `stereo` say; `recording.delivery` to ' +
      'the `status_url` tells what became of it. None unless given.',
  }),
  transcription: z
    .strictObject({
      locale: localeInput
        .optional()
        .meta({ description: 'In which is spoken. en-US unless given.', examples: ['en-US'] }),
    })
    .optional()
    .meta({
      description:
        'A transcript is made once the recording has ended, and written beside the file where there is a ' +
        '`destination`; `recording.transcript` to the `status_url` tells what became of it. None unless given.',
    }),
  keep_consent_clip: flag(
    'Whether the last 10 s of what a party said since the notice are kept as evidence when it consents with the ' +
      'method `voice`; in memory until then, and gone with any other. With `consent` only.',
  ).optional(),
});

/** What a recording is started with, as far as one field decides about another. */
export const recordingInput = recordingFields
  .refine(({ notice_text, notice_url }) => notice_text === undefined || notice_url === undefined, {
    path: ['notice_url'],
    error: 'expected notice_text or notice_url, not both',
  })
  .refine(({ notice_text, notice_voice }) => notice_voice === undefined || notice_text !== undefined, {
    path: ['notice_voice'],
    error: 'expected notice_text with it',
  })
  .refine(({ keep_consent_clip, consent }) => !keep_consent_clip || consent === 'required', {
    path: ['keep_consent_clip'],
    error: 'expected consent: required with it',
  })
  .meta({
    examples: [
      {
        ...{ format: 'mp3', stereo: true, beep: true, terminators: '#', end_silence_timeout_ms: 5000 },
        ...{ consent: 'required', notice_text: 'This call is recorded.', keep_consent_clip: true },
        ...{ control_id: 'main', status_url: 'https://app.example.com/recordings' },
      },
    ],
  });

export const pauseInput = z
  .strictObject({
    behaviour: choice(
      pauseBehaviours,
      'How the span appears in the files: cut out (`skip`, unless given), kept as silence, or kept under a tone (`mask`).',
    ).default('skip'),
    scope: choice(
      ['recording', 'call'],
      '`call`: nothing of the calls in it is recorded by anything until this recording resumes or ends.',
    ).default('recording'),
  })
  .optional();

/** What is not asked for is not there; a timer of 0 is none. */
export function wishesOf(input: z.output<typeof recordingInput> | undefined): RecordingWishes {
  if (!input) return {};
  const { client_state, control_id, status_url, format, stereo } = input;
  const options = Object.fromEntries(
    Object.entries({
      direction: input.direction,
      terminators: input.terminators || undefined,
      beep: input.beep,
      warningToneIntervalMs: input.warning_tone_interval_ms,
      inputSensitivity: input.input_sensitivity,
      initialTimeoutMs: input.initial_timeout_ms || undefined,
      endSilenceTimeoutMs: input.end_silence_timeout_ms || undefined,
      maxLengthMs: input.max_length_ms || undefined,
      trim: input.trim,
      consent: input.consent,
      keepConsentClip: input.keep_consent_clip || undefined,
      notice: undefined,
    } satisfies { [Option in keyof RecorderOptions]: unknown }).filter(([, value]) => value !== undefined),
  ) as RecorderOptions;
  return {
    clientState: client_state,
    controlId: control_id,
    statusUrl: status_url,
    format,
    stereo,
    notice: noticeOf(input),
    ...(input.transcription && { transcription: transcriptionOf(input.transcription) }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

function transcriptionOf({ locale }: { locale?: string | undefined }): { locale?: string } {
  return locale === undefined ? {} : { locale };
}

function noticeOf({
  notice_text: text,
  notice_voice: voice,
  notice_url: url,
}: z.output<typeof recordingInput>): Notice | undefined {
  if (url !== undefined) return { kind: 'url', url };
  return text === undefined ? undefined : { kind: 'text', text, ...(voice !== undefined && { voice }) };
}
