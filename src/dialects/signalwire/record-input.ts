import { z } from 'zod';
import { maxControlIdCharacters, type RecordingWishes } from '../../call/recording.ts';
import { maxRecordingMs, maxTimerMs, type RecorderOptions } from '../../media/recorder-options.ts';

const maxSeconds = maxTimerMs / 1000;
const seconds = z.number().min(0).max(maxSeconds);

/** With the defaults of this door. */
const audio = z.strictObject({
  format: z.enum(['wav', 'mp3', 'mp4']).default('mp3'),
  stereo: z.boolean().default(false),
  direction: z.enum(['speak', 'listen', 'both']).default('speak'),
  beep: z.boolean().default(false),
  input_sensitivity: z.number().min(0).max(100).default(44),
  initial_timeout: seconds.default(4),
  end_silence_timeout: seconds.default(0.5),
  /** 0: none. The vendor names no longest one. */
  max_length: z
    .number()
    .min(0)
    .default(0)
    .transform((length) => Math.min(length, maxRecordingMs / 1000)),
  terminators: z
    .string()
    .regex(/^[0-9*#A-D]{0,16}$/, 'expected keys of 0-9 * # A-D')
    .default('#'),
});

export const controlId = z.string().min(1).max(maxControlIdCharacters);
export const statusUrl = z
  .url({ protocol: /^https?$/, error: 'must be a valid http or https url' })
  .max(2000);

/** Names of the call, as some clients repeat them among the parameters. */
export const ofTheCall = {
  id: z.unknown().optional(),
  call_id: z.unknown().optional(),
  node_id: z.unknown().optional(),
};

/**
 * `record.audio` is what clients send, `audio` and `record` itself what the vendor's pages have. What is not known is
 * refused: a misspelt `record` would be a recording of one side by the defaults.
 */
export const recordParameters = z.strictObject({
  ...ofTheCall,
  control_id: controlId.optional(),
  record: z.preprocess(inAudio, z.strictObject({ audio: audio.optional() })).optional(),
  audio: audio.optional(),
  status_url: statusUrl.optional(),
});

function inAudio(record: unknown): unknown {
  const isBare = typeof record === 'object' && record !== null && !Object.hasOwn(record, 'audio');
  return isBare ? { audio: record } : record;
}

export function recordingWishes(given: z.output<typeof recordParameters>): RecordingWishes {
  const wanted = given.record?.audio ?? given.audio ?? audio.parse({});
  const toMs = (duration: number) => (duration === 0 ? undefined : Math.max(1, Math.round(duration * 1000)));
  const options: RecorderOptions = {
    direction: wanted.direction,
    beep: wanted.beep,
    inputSensitivity: wanted.input_sensitivity,
    ...(wanted.terminators !== '' && { terminators: wanted.terminators }),
    ...timer('initialTimeoutMs', toMs(wanted.initial_timeout)),
    ...timer('endSilenceTimeoutMs', toMs(wanted.end_silence_timeout)),
    ...timer('maxLengthMs', toMs(wanted.max_length)),
  };
  return {
    controlId: given.control_id,
    statusUrl: given.status_url,
    format: wanted.format,
    stereo: wanted.stereo,
    options,
  };
}

function timer(name: keyof RecorderOptions, valueMs: number | undefined): Partial<RecorderOptions> {
  return valueMs === undefined ? {} : { [name]: valueMs };
}
