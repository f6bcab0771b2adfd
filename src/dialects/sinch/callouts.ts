import type { CallTarget } from '../../call/connector.ts';
import type { Prompt } from '../../script/verb.ts';
import { type ConferenceDtmf, readConferenceDtmf } from './action-parts.ts';
import { readRecord } from './actions.ts';
import type { Fields } from './fields.ts';
import { dtmfLimits, type SvamlUse } from './instructions.ts';
import { maxSpokenCharacters, promptsIn } from './prompt-field.ts';
import { spoken } from './prompt-text.ts';
import type { RecordingRules, SinchRecordingOptions } from './recording-options.ts';
import { loadSvaml, type Svaml } from './svaml.ts';

/** What every callout has. */
interface Called {
  destination: CallTarget;
  /** Undefined: the application's own number. */
  cli: string | undefined;
  /** Pressed to the called party when it answers. */
  dtmf: string | undefined;
  /** Told with every callback of the call. */
  custom: string | undefined;
  maxDurationMs: number;
  enableAce: boolean;
  enableDice: boolean;
  enablePie: boolean;
}

/** What stands in for a callback: its answer, or another URL to ask. */
export type InlineCallback = { kind: 'url'; url: string } | { kind: 'svaml'; svaml: Svaml };

export type Callout =
  | (Called & { method: 'ttsCallout'; prompts: readonly Prompt[] })
  | (Called & {
      method: 'conferenceCallout';
      conferenceId: string;
      conferenceDtmf: ConferenceDtmf | undefined;
      moh: string | undefined;
      greeting: readonly Prompt[];
      /** Of the conference. Ours: the vendor names no field for it. */
      record: SinchRecordingOptions | undefined;
    })
  | (Omit<Called, 'destination'> & {
      method: 'customCallout';
      /** Undefined: ICE says it, as it does where both do. */
      destination: CallTarget | undefined;
      ice: InlineCallback | undefined;
      ace: InlineCallback | undefined;
      pie: InlineCallback | undefined;
      /** Only a URL: nothing is answered. */
      dice: string | undefined;
    });

const methods = ['ttsCallout', 'conferenceCallout', 'customCallout'] as const;
const maxCallSeconds = 14_400;
const maxCustomBytes = 1024;
const cliLimits = { min: 1, max: 200, form: /^[^\r\n]+$/, expected: 'a number' };

/** The body of `POST /calling/v1/callouts`. @returns undefined where something of it is wrong, which is told then */
export function readCallout(fields: Fields, rules: RecordingRules = {}): Callout | undefined {
  if (!fields.has('method')) fields.missing('method');
  const method = fields.oneOf('method', methods);
  if (!method) return undefined;
  if (!fields.has(method)) fields.missing(method);
  const given = fields.object(method);
  if (!given) return undefined;
  const callout = readers[method](given, rules);
  given.end();
  return callout;
}

type Reader = (fields: Fields, rules: RecordingRules) => Callout | undefined;

const readers: Readonly<Record<(typeof methods)[number], Reader>> = {
  ttsCallout(fields) {
    const locale = fields.text('locale', { max: 64 });
    const text = fields.text('text', { max: maxSpokenCharacters });
    const prompts = [...spoken(text ?? '', locale), ...promptsIn(fields, 'prompts', locale)];
    if (text === undefined && !fields.has('prompts')) fields.missing('text');
    const called = readCalled(fields);
    return called && { method: 'ttsCallout', ...called, prompts };
  },
  conferenceCallout(fields, rules) {
    const conferenceId = fields.required('conferenceId', {
      min: 1,
      max: 64,
      expected: 'the id of a conference',
    });
    const rest = {
      conferenceDtmf: readConferenceDtmf(fields),
      moh: fields.text('mohClass', { max: 64 })?.toLowerCase(),
      greeting: spoken(
        fields.text('greeting', { max: maxSpokenCharacters }) ?? '',
        fields.text('locale', { max: 64 }),
      ),
      record: readRecord(fields, rules),
    };
    const called = readCalled(fields);
    if (!called || conferenceId === undefined) return undefined;
    return { method: 'conferenceCallout', ...called, conferenceId, ...rest };
  },
  customCallout(fields, rules) {
    const inline = {
      ice: readInline(fields, 'ice', rules),
      ace: readInline(fields, 'ace', rules),
      pie: readInline(fields, 'pie', rules),
      dice: urlIn(fields.text('dice', { max: 131_072 })),
    };
    // ICE says whom to call, where nothing else does; asked like the rest, for whom no URL stands here.
    const destination = fields.has('destination') ? readCalloutDestination(fields) : undefined;
    if (fields.has('destination') && !destination) return undefined;
    return { method: 'customCallout', destination, ...readManner(fields, true), ...inline };
  },
};

function readCalled(fields: Fields): Called | undefined {
  const destination = readCalloutDestination(fields);
  const manner = readManner(fields, false);
  return destination && { destination, ...manner };
}

/** @param enabled what the callbacks are that nothing is said of */
function readManner(fields: Fields, enabled: boolean): Omit<Called, 'destination'> {
  const custom = fields.text('custom', { max: maxCustomBytes });
  if (custom !== undefined && Buffer.byteLength(custom) > maxCustomBytes)
    fields.refuse('custom', `more than ${maxCustomBytes} bytes`);
  fields.oneOf('domain', ['pstn', 'mxp']);
  const seconds = fields.number('maxDuration', { min: 1, max: maxCallSeconds }) ?? maxCallSeconds;
  return {
    cli: fields.text('cli', cliLimits),
    dtmf: fields.text('dtmf', dtmfLimits),
    custom,
    maxDurationMs: seconds * 1000,
    enableAce: fields.flag('enableAce') ?? enabled,
    enableDice: fields.flag('enableDice') ?? enabled,
    enablePie: fields.flag('enablePie') ?? enabled,
  };
}

function readCalloutDestination(fields: Fields): CallTarget | undefined {
  if (!fields.has('destination')) fields.missing('destination');
  const destination = fields.object('destination');
  if (!destination) return undefined;
  if (!destination.has('type')) destination.missing('type');
  const type = destination.oneOf('type', ['number', 'username', 'sip']);
  const endpoint = destination.required('endpoint', {
    min: 1,
    max: 500,
    form: type === 'number' ? /^\+?[() .-]{0,20}\d[\d() .-]{0,60}$/ : /^[^\s<>"]+$/,
    expected: type === 'number' ? 'a number' : 'an address without blanks',
  });
  destination.end();
  if (type === undefined || endpoint === undefined) return undefined;
  if (type === 'username') return { kind: 'client', name: endpoint };
  if (type === 'number') return { kind: 'phone', number: endpoint.replaceAll(/[() .-]/g, '') };
  return { kind: 'phone', number: /^sips?:/i.test(endpoint) ? endpoint : `sip:${endpoint}` };
}

/** JSON in a text, as the vendor's clients make it, or a URL. */
function readInline(fields: Fields, use: SvamlUse, rules: RecordingRules): InlineCallback | undefined {
  const given = fields.text(use, { max: 131_072 });
  if (given === undefined || given.trim() === '') return undefined;
  const url = urlIn(given);
  if (url !== undefined) return { kind: 'url', url };
  const { svaml, problems } = loadSvaml(given, { ...rules, use });
  for (const { severity, code, message, path } of problems) {
    const what = path === '' ? message : `${path}: ${message}`;
    if (severity === 'error') fields.problems.error(code, what, fields.at(use));
    else fields.problems.warn(what, fields.at(use), code);
  }
  return svaml && { kind: 'svaml', svaml };
}

function urlIn(text: string | undefined): string | undefined {
  const url = text?.trim() ?? '';
  return /^https?:\/\//i.test(url) && URL.canParse(url) ? url : undefined;
}
