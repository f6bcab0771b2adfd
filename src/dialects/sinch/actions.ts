import type { SipHeader } from '../../sip/session.ts';
import {
  type ConferenceDtmf,
  readCallHeaders,
  readConferenceDtmf,
  readDestination,
  readSipUri,
} from './action-parts.ts';
import type { Fields } from './fields.ts';
import { dtmfLimits, givenRecordingOptions, type SvamlUse } from './instructions.ts';
import { type RunMenu, readRunMenu } from './menu.ts';
import { type Park, readPark } from './park.ts';
import type { RecordingRules, SinchRecordingOptions } from './recording-options.ts';

/** Of what connects somebody: recorded as this says, or not at all. */
interface Recorded {
  record?: SinchRecordingOptions | undefined;
}

export interface ConnectPstn extends Recorded {
  name: 'connectPstn';
  /** Undefined: what the caller called. */
  number: string | undefined;
  cli: string | undefined;
  dialTimeoutMs: number | undefined;
  maxDurationMs: number;
  /** Neither ACE nor DICE. */
  suppressCallbacks: boolean;
  /** Pressed to the called party when it answers. */
  dtmf: string | undefined;
  /** Whose ringing tone the caller hears: ISO 3166, lower case. */
  indications: string | undefined;
}

export interface ConnectSip extends Recorded {
  name: 'connectSip';
  uri: string;
  cli: string | undefined;
  maxDurationMs: number;
  suppressCallbacks: boolean;
  headers: readonly SipHeader[];
}

export interface ConnectMxp extends Recorded {
  name: 'connectMxp';
  /** Undefined: whom the caller called. */
  username: string | undefined;
  headers: readonly SipHeader[];
}

export interface ConnectConf extends Recorded {
  name: 'connectConf';
  conferenceId: string;
  dtmf: ConferenceDtmf | undefined;
  /** What the first one hears while it is alone: `ring`, `music1` to `music3`. */
  moh: string | undefined;
  suppressCallbacks: boolean;
}

export type Action =
  | { name: 'hangup' }
  | ({ name: 'continue' } & Recorded)
  | ConnectPstn
  | ConnectSip
  | ConnectMxp
  | ConnectConf
  | (RunMenu & Recorded)
  | (Park & Recorded)
  | { name: 'startRecording'; options: SinchRecordingOptions }
  | { name: 'stopRecording' };

export type ActionName = Action['name'];

/** `PIE` has `connectPstn` as the vendor's own client builds it. */
export const allowedActions: Readonly<Record<SvamlUse, readonly ActionName[]>> = {
  ice: ['hangup', 'connectPstn', 'connectMxp', 'connectConf', 'connectSip', 'runMenu', 'park'],
  ace: ['hangup', 'continue', 'connectConf', 'runMenu'],
  pie: ['hangup', 'continue', 'connectConf', 'connectSip', 'connectPstn', 'runMenu'],
  manage: ['hangup', 'continue', 'park', 'startRecording', 'stopRecording'],
};

const maxCallSeconds = 14_400;
const maxConferenceIdCharacters = 64;
const cliLimits = { min: 1, max: 200, form: /^[^\r\n]+$/, expected: 'a number' };
const seconds = { min: 1, max: maxCallSeconds };

type Reader = (fields: Fields, rules: RecordingRules) => Action | undefined;

const readers: Readonly<Record<ActionName, Reader>> = {
  hangup: () => ({ name: 'hangup' }),
  continue: () => ({ name: 'continue' }),
  connectPstn(fields) {
    fields.ineffective('amd', 'answering machines are not detected in this version');
    fields.ineffective('locale', 'nothing is said by the action itself');
    return {
      name: 'connectPstn',
      number: fields.text('number', {
        min: 1,
        max: 200,
        form: /^\+?[() .-]*\d[\d() .-]*$/,
        expected: 'a number',
      }),
      cli: fields.text('cli', cliLimits),
      dialTimeoutMs: toMs(fields.number('dialTimeout', seconds)),
      maxDurationMs: durationOf(fields),
      suppressCallbacks: fields.flag('suppressCallbacks') ?? false,
      dtmf: fields.text('dtmf', dtmfLimits),
      indications: countryOf(fields),
    };
  },
  connectSip(fields) {
    const uri = readSipUri(fields);
    fields.ineffective('moh', 'a party on hold hears what its phone plays');
    const rest = {
      cli: fields.text('cli', cliLimits),
      maxDurationMs: durationOf(fields),
      suppressCallbacks: fields.flag('suppressCallbacks') ?? false,
      headers: readCallHeaders(fields),
    };
    return uri === undefined ? undefined : { name: 'connectSip', uri, ...rest };
  },
  connectMxp: (fields) => ({
    name: 'connectMxp',
    username: readDestination(fields, 'username'),
    headers: readCallHeaders(fields),
  }),
  connectConf(fields) {
    const conferenceId = fields.required('conferenceId', {
      min: 1,
      max: maxConferenceIdCharacters,
      form: /^[^\r\n]+$/,
      expected: 'the id of a conference',
    });
    const rest = {
      dtmf: readConferenceDtmf(fields),
      moh: fields.text('moh', { max: 64 })?.toLowerCase(),
      suppressCallbacks: fields.flag('suppressCallbacks') ?? false,
    };
    return conferenceId === undefined ? undefined : { name: 'connectConf', conferenceId, ...rest };
  },
  runMenu: readRunMenu,
  park: readPark,
  startRecording(fields, rules) {
    const options = givenRecordingOptions(fields, rules);
    return options && { name: 'startRecording', options };
  },
  stopRecording: () => ({ name: 'stopRecording' }),
};

const byLowerCase = new Map((Object.keys(readers) as ActionName[]).map((name) => [name.toLowerCase(), name]));
const unrecordable: readonly ActionName[] = ['hangup', 'startRecording', 'stopRecording'];

/** Names in any case. @returns undefined where something of it is wrong, which is told then */
export function readAction(
  fields: Fields,
  use: SvamlUse | undefined,
  rules: RecordingRules,
): Action | undefined {
  const given = fields.required('name', { max: 100 });
  const name = given === undefined ? undefined : nameOf(given, use, fields);
  if (!name) return undefined;
  const action = readers[name](fields, rules);
  const isRecordable = !unrecordable.includes(name);
  const record = isRecordable ? readRecord(fields, rules) : undefined;
  if (name === 'hangup')
    for (const field of ['record', 'recordingOptions']) fields.ineffective(field, endsCall);
  fields.end();
  return action && record ? ({ ...action, record } as Action) : action;
}

const endsCall = 'the call ends here';

function nameOf(given: string, use: SvamlUse | undefined, fields: Fields): ActionName | undefined {
  const refuse = (message: string) => fields.problems.error(40003, message, fields.at('name'));
  if (given.toLowerCase() === 'connectstream') {
    refuse('connectStream: calls can not be connected to streams in this version');
    return undefined;
  }
  const name = byLowerCase.get(given.toLowerCase());
  const allowed = use ? allowedActions[use] : (Object.keys(readers) as ActionName[]);
  if (name && allowed.includes(name)) return name;
  const shown = given.slice(0, 60);
  const where = use === 'manage' ? 'in a request to a call' : `in an answer to ${use?.toUpperCase()}`;
  if (name) refuse(`${name} is not allowed ${where}: ${allowed.join(', ')}`);
  else refuse(`"${shown}" is no action: ${allowed.join(', ')}`);
  return undefined;
}

/** Options without the flag mean it, as in the vendor's examples of connectPstn; a flag says no only as `false`. */
export function readRecord(fields: Fields, rules: RecordingRules): SinchRecordingOptions | undefined {
  const flag = fields.flag('record');
  const given = ['recordingOptions', 'options'].filter((name) => fields.has(name));
  if (flag === false || (flag === undefined && given.length === 0)) return undefined;
  if (flag === undefined && !fields.has('record'))
    fields.warn('recordingOptions', '"record" is missing: with options it is taken as true');
  return givenRecordingOptions(fields, rules);
}

function durationOf(fields: Fields): number {
  return (fields.number('maxDuration', seconds) ?? maxCallSeconds) * 1000;
}

function toMs(given: number | undefined): number | undefined {
  return given === undefined ? undefined : given * 1000;
}

function countryOf(fields: Fields): string | undefined {
  const limits = { max: 2, form: /^[a-z]{2}$/i, expected: 'a country as us' };
  const country = fields.text('indications', limits)?.toLowerCase();
  return country === 'uk' ? 'gb' : country;
}
