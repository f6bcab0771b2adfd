import { randomUUID } from 'node:crypto';
import type { RecordingWishes } from '../../../call/recording.ts';
import type { RecorderOptions } from '../../../media/recorder-options.ts';
import { isObject, type Json, type JsonObject, memberOf } from '../json.ts';
import { flag, type Kind, number, oneOf, optional, text, url, withDefault } from '../parameters.ts';
import { maxSeconds } from './call.ts';
import { method, perform, type Run } from './method.ts';

const maxControlIdCharacters = 255;
/** Of the recordings that a script started. */
const maxRemembered = 64;
const seconds = number({ min: 0, max: maxSeconds });
const identifier = text({
  maxLength: maxControlIdCharacters,
  form: /^[^\0]+$/,
  expected: 'an identifier is',
});
const keys = text({ maxLength: 16, form: /^[0-9*#A-Da-d]*$/, expected: 'keys (0-9 * # A-D) are' });

/** What `record` and `record_call` share; their defaults differ. */
const shared = {
  stereo: withDefault(flag, false),
  format: withDefault(oneOf('wav', 'mp3', 'mp4'), 'wav'),
  beep: withDefault(flag, false),
  input_sensitivity: withDefault(number({ min: 0, max: 100 }), 44),
  max_length: optional(seconds),
  status_url: optional(url),
};

interface Recorded {
  stereo: boolean;
  format: 'wav' | 'mp3' | 'mp4';
  direction: 'speak' | 'listen' | 'both';
  terminators: string;
  beep: boolean;
  input_sensitivity: number;
  initial_timeout: number;
  end_silence_timeout: number;
  max_length: number | undefined;
  status_url: string | undefined;
}

/** A time of 0 is none (X7); however short another one is, it is one. */
function wishesOf(recorded: Recorded, controlId: string, made: 'record' | 'record_call'): RecordingWishes {
  const ms = (value: number | undefined): number | undefined =>
    value ? Math.max(1, Math.round(value * 1000)) : undefined;
  const options: RecorderOptions = {
    direction: recorded.direction,
    beep: recorded.beep,
    inputSensitivity: recorded.input_sensitivity,
  };
  const initialTimeoutMs = ms(recorded.initial_timeout);
  const endSilenceTimeoutMs = ms(recorded.end_silence_timeout);
  const maxLengthMs = ms(recorded.max_length);
  if (recorded.terminators) options.terminators = recorded.terminators.toUpperCase();
  if (initialTimeoutMs) options.initialTimeoutMs = initialTimeoutMs;
  if (endSilenceTimeoutMs) options.endSilenceTimeoutMs = endSilenceTimeoutMs;
  if (maxLengthMs) options.maxLengthMs = maxLengthMs;
  const { format, stereo, status_url: statusUrl } = recorded;
  return {
    controlId,
    options,
    format,
    stereo,
    statusUrl,
    dialect: 'signalwire',
    dialectData: { method: made },
  };
}

export const recordCall = method({
  name: 'record_call',
  parameters: {
    ...shared,
    control_id: optional(identifier),
    direction: withDefault(oneOf('both', 'speak', 'listen'), 'both'),
    terminators: withDefault(keys, ''),
    initial_timeout: withDefault(seconds, 0),
    end_silence_timeout: withDefault(seconds, 0),
  },
  async run({ control_id, ...recorded }, run, path) {
    const { variables, host } = run;
    const controlId = control_id ?? randomUUID();
    const wishes = wishesOf(recorded, controlId, 'record_call');
    const started = await perform(run, { verb: 'start-recording', wishes }, path);
    variables.set('record_call_result', started ? 'success' : 'failed');
    if (!started) return undefined;
    variables.set('record_call_url', host.recordingUrl(started.recording.recordingId, recorded.format));
    variables.set('record_control_id', controlId);
    remember(run.controlIds, controlId);
    return undefined;
  },
});

/** Seed 003 hands the SDK's method an object, which emits it as it is (X2). */
const controlId: Kind<string> = {
  read: (value, path) => identifier.read(innerId(value) ?? value, path),
};

function innerId(value: Json): Json | undefined {
  return isObject(value) ? (memberOf(value, 'control_id') ?? memberOf(value, 'controlId')) : undefined;
}

export const stopRecordCall = method({
  name: 'stop_record_call',
  parameters: { control_id: optional(controlId), controlId: optional(controlId) },
  shorthand: (value) => (typeof value === 'string' ? stopOf(value) : undefined),
  async run({ control_id, controlId: camel }, run, path) {
    const given = control_id ?? camel ?? setByScript(run);
    let isStopped = false;
    for (const controlId of given ? [given] : lastFirst(run.controlIds)) {
      const stopped = await perform(run, { verb: 'stop-recording', controlId }, path);
      isStopped = stopped?.recording !== undefined;
      if (isStopped) break;
    }
    run.variables.set('stop_record_call_result', isStopped ? 'success' : 'failed');
    return undefined;
  },
});

function stopOf(control_id: string): JsonObject {
  return { control_id };
}

function remember(controlIds: string[], controlId: string): void {
  const before = controlIds.indexOf(controlId);
  if (before >= 0) controlIds.splice(before, 1);
  controlIds.push(controlId);
  if (controlIds.length > maxRemembered) controlIds.shift();
}

/**
 * What a stop without a name tries, until one runs: recordings of the script, never one that somebody else has started
 * beside it. A script that has started none takes the last one of the call.
 */
function* lastFirst(controlIds: string[]): Generator<string | undefined> {
  if (controlIds.length === 0) yield undefined;
  for (const controlId of controlIds.toReversed()) yield controlId;
}

/** The variable names another one only where the script has set it: of several that run, each is stopped in its turn. */
function setByScript({ variables, controlIds }: Run): string | undefined {
  const set = memberOf(variables.vars, 'record_control_id');
  return typeof set === 'string' && set !== '' && set !== controlIds.at(-1) ? set : undefined;
}

const failures: readonly string[] = ['no_input', 'no_media', 'error'];

export const record = method({
  name: 'record',
  parameters: {
    ...shared,
    direction: withDefault(oneOf('speak', 'listen'), 'speak'),
    terminators: withDefault(keys, '#'),
    initial_timeout: withDefault(seconds, 4),
    end_silence_timeout: withDefault(seconds, 5),
  },
  async run(recorded, run, path) {
    const done = await perform(
      run,
      { verb: 'record', wishes: wishesOf(recorded, randomUUID(), 'record') },
      path,
    );
    const isGood = done !== undefined && !failures.includes(done.reason);
    run.variables.set('record_result', isGood ? 'success' : 'failed');
    if (done)
      run.variables.set('record_url', run.host.recordingUrl(done.recording.recordingId, recorded.format));
    return undefined;
  },
});
