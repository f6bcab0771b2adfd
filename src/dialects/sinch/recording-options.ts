import { parseCredentials } from '../../delivery/destinations/destination-credentials.ts';
import { parseDestinationUrl } from '../../delivery/destinations/destination-url.ts';
import { CallreelError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { Fields } from './fields.ts';

export const recordingFormats = ['mp3', 'wav'] as const;
export type RecordingFormat = (typeof recordingFormats)[number];

/** Where a file goes, as it was given: each scheme's own parser reads both. */
export interface DestinationWish {
  /** `s3://bucket/folder/file.mp3` */
  url: string;
  credentials: Secret | undefined;
}

/** The vendor's `recordingOptions`, with its defaults. */
export interface SinchRecordingOptions {
  /** Undefined: our own default store. */
  destination: DestinationWish | undefined;
  format: RecordingFormat;
  notificationEvents: boolean;
  transcription: { locale: string | undefined } | undefined;
}

/** Of the server that reads them. */
export interface RecordingRules {
  /** There is a store for recordings that name none. */
  hasDefaultStore?: boolean | undefined;
}

/** Whether the vendor's page says that the destination can not do without them. */
const needsCredentials: Readonly<Record<string, boolean>> = {
  s3: true,
  azure: true,
  gs: true,
  sdrive: false,
  file: false,
};
const maxUrlCharacters = 2000;
const maxCredentialsCharacters = 4096;

/**
 * `destinationUrl`, `credentials`, `format`, `notificationEvents`, `transcriptionOptions`; the older name `destination`
 * too.
 * @returns undefined where something of it is wrong, which is told then
 */
export function readRecordingOptions(
  fields: Fields,
  { hasDefaultStore = false }: RecordingRules = {},
): SinchRecordingOptions | undefined {
  const urlField = fields.has('destinationUrl') ? 'destinationUrl' : 'destination';
  const url = fields.text(urlField, { max: maxUrlCharacters });
  const credentials = readCredentials(fields);
  const format = fields.oneOf('format', recordingFormats);
  const options: SinchRecordingOptions = {
    destination: url ? { url, credentials } : undefined,
    format: format ?? 'mp3',
    notificationEvents: fields.flag('notificationEvents') ?? true,
    transcription: readTranscription(fields),
  };
  const isRight = url
    ? checkDestination(url, credentials, urlField, fields) &&
      warnOfName(url, options.format, urlField, fields)
    : hasDefaultStore || missingUrl(fields);
  fields.end();
  return isRight && (format !== undefined || !fields.has('format')) ? options : undefined;
}

/** Never shown, whatever it is. */
function readCredentials(fields: Fields): Secret | undefined {
  const given = fields.raw('credentials');
  if (given === undefined || given === '') return undefined;
  if (typeof given === 'string' && given.length <= maxCredentialsCharacters) return new Secret(given);
  return fields.refuse('credentials', `a text of at most ${maxCredentialsCharacters} characters is expected`);
}

function readTranscription(fields: Fields): SinchRecordingOptions['transcription'] {
  const given = fields.object('transcriptionOptions');
  if (!given) return undefined;
  const enabled = given.flag('enabled') ?? false;
  const locale = given.text('locale', { max: 35 });
  given.end();
  return enabled ? { locale } : undefined;
}

function missingUrl(fields: Fields): false {
  fields.missing('destinationUrl');
  return false;
}

function checkDestination(
  url: string,
  credentials: Secret | undefined,
  field: string,
  fields: Fields,
): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? '';
  if (!Object.hasOwn(needsCredentials, scheme)) {
    fields.refuse(field, `a URL of ${Object.keys(needsCredentials).join(', ')} is expected, as s3://bucket/`);
    return false;
  }
  if (needsCredentials[scheme] && !fields.raw('credentials')) {
    fields.missing('credentials');
    return false;
  }
  if (scheme !== 'sdrive' && /^[^/]*@/.test(url.slice(scheme.length + 3))) {
    // The URL is shown.
    fields.refuse(field, 'the URL has credentials in it: they have a field of their own');
    return false;
  }
  warnOfUndeliverable(url, credentials, field, fields);
  return true;
}

/** The recording is made all the same, and can be delivered elsewhere; whoever waits for it hears of it at once. */
function warnOfUndeliverable(url: string, credentials: Secret | undefined, field: string, fields: Fields) {
  let wrong = field;
  try {
    const { scheme } = parseDestinationUrl(url);
    wrong = 'credentials';
    parseCredentials(scheme, credentials);
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    fields.warn(wrong, `the file cannot be delivered: ${error.message}`);
  }
}

/** The name is kept, the format decides what is in it: a player goes by the content, an application by the name. */
function warnOfName(url: string, format: RecordingFormat, field: string, fields: Fields): true {
  const [, scheme = '', place = ''] = /^([^:]+):\/\/(.*)$/s.exec(url) ?? [];
  const path = scheme.toLowerCase() === 'sdrive' ? `/${place}` : place;
  const extension = /\/[^/]+\.([a-z0-9]{2,4})$/i.exec(path)?.[1]?.toLowerCase();
  const isAudio = extension === 'mp3' || extension === 'wav';
  if (isAudio && extension !== format)
    fields.warn(field, `the file is named .${extension} and will hold ${format}, as "format" says`);
  return true;
}
