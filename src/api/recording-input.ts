import { z } from 'zod';
import type { RecordingWishes } from '../call/recording.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import { maxTimerMs } from '../media/recorder-options.ts';
import { pauseBehaviours } from '../spool/records.ts';
import { clientStateInput } from './client-state.ts';
import { choice, flag } from './fields.ts';

const maxUrlLength = 2000;

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
export const recordingInput = z.strictObject({
  client_state: clientStateInput,
  control_id: z
    .string()
    .min(1)
    .max(64)
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
    '`required`: nothing is recorded before `POST /v1/recordings/{id}/consent`.',
  ).optional(),
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
    } satisfies { [Option in keyof RecorderOptions]: unknown }).filter(([, value]) => value !== undefined),
  ) as RecorderOptions;
  return {
    clientState: client_state,
    controlId: control_id,
    statusUrl: status_url,
    format,
    stereo,
    ...(Object.keys(options).length > 0 && { options }),
  };
}
