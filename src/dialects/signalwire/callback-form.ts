import { createHmac } from 'node:crypto';
import type { EventRequest } from '../../delivery/webhooks.ts';
import type { Secret } from '../../secret.ts';
import { signatureHeaders } from './signature.ts';

/** Bodies as the vendor's newer calls have them, and as its compatibility API does (cXML, LaML). */
export type CallbackType = 'relay' | 'cxml' | 'laml';

/**
 * How a status callback of a conference is told (`status_callback_event_type`, `status_callback_method`): the name of
 * the dialect of its events. The first is that of all others.
 */
export const callbackForms = [
  'signalwire',
  'signalwire-get',
  'signalwire-form',
  'signalwire-form-get',
] as const;
export type CallbackForm = (typeof callbackForms)[number];

export function callbackFormOf(type: CallbackType = 'relay', method: 'GET' | 'POST' = 'POST'): CallbackForm {
  const isGet = method === 'GET';
  if (type === 'relay') return isGet ? 'signalwire-get' : 'signalwire';
  return isGet ? 'signalwire-form-get' : 'signalwire-form';
}

/** An event of this dialect: what it is of, and `params`. */
export interface RelayBody extends Record<string, unknown> {
  params: Record<string, unknown>;
}

/** What is kept of an event, and sent: by GET and as a form there are only texts. */
export function inForm(form: CallbackForm, body: RelayBody): Record<string, unknown> {
  if (form === 'signalwire') return body;
  if (form === 'signalwire-get') {
    const { params, ...about } = body;
    return texts({ ...about, ...params });
  }
  return compatibilityFields(body);
}

function texts(fields: Record<string, unknown>): Record<string, string> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    given.map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
  );
}

const recordingStatuses: Readonly<Record<string, string>> = {
  recording: 'in-progress',
  paused: 'paused',
  finished: 'completed',
  no_input: 'absent',
  error: 'failed',
};

/** The names that the compatibility API has for them. */
function compatibilityFields({ params, project_id, timestamp }: RelayBody): Record<string, string> {
  const { state } = params;
  const conference = {
    AccountSid: project_id,
    ConferenceSid: params.conference_id,
    FriendlyName: params.name,
    Timestamp: new Date(Math.round(Number(timestamp) * 1000)).toUTCString(),
  };
  if (typeof state === 'string')
    return texts({
      ...conference,
      RecordingSid: params.recording_id,
      RecordingUrl: params.recording_url,
      RecordingStatus: recordingStatuses[state] ?? state,
      RecordingDuration: params.recording_duration,
      RecordingFileSize: params.recording_file_size,
      RecordingSource: 'Conference',
    });
  return texts({
    ...conference,
    StatusCallbackEvent: params.status,
    CallSid: params.call_id,
    Muted: params.muted,
    Hold: params.hold,
    Coaching: params.coaching,
    StartConferenceOnEnter: params.start_on_join,
    EndConferenceOnExit: params.end_on_leave,
    ReasonConferenceEnded: params.reason_ended,
    CallSidEndingConference: params.call_id_ending_conf,
    RecordingUrl: params.recording_url,
    RecordingDuration: params.recording_duration,
    RecordingFileSize: params.recording_file_size,
  });
}

/** The requests of the forms that are no POST of JSON, signed as the vendor's validators look at them. */
export function callbackRequests(
  key: Secret,
): Record<Exclude<CallbackForm, 'signalwire'>, (url: string, payload: unknown) => EventRequest> {
  return {
    'signalwire-get': (given, payload) => {
      const url = withQuery(given, payload);
      return { method: 'GET', url, headers: signatureHeaders(key, url, '') };
    },
    'signalwire-form-get': (given, payload) => {
      const url = withQuery(given, payload);
      return { method: 'GET', url, headers: formSignature(key, url, []) };
    },
    'signalwire-form': (url, payload) => {
      const fields = fieldsOf(payload);
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        ...formSignature(key, url, fields),
      };
      return { method: 'POST', url, headers, body: new URLSearchParams(fields).toString() };
    },
  };
}

function fieldsOf(payload: unknown): [string, string][] {
  return Object.entries(payload ?? {}).map(([name, value]) => [name, String(value)]);
}

function withQuery(given: string, payload: unknown): string {
  const url = new URL(given);
  for (const [name, value] of fieldsOf(payload)) url.searchParams.append(name, value);
  return url.href;
}

/** Base64 of the HMAC-SHA1 over the URL and the fields by their names, each name before its value. */
function formSignature(
  key: Secret,
  url: string,
  fields: readonly (readonly [string, string])[],
): Record<string, string> {
  const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).flat();
  const signature = createHmac('sha1', key.reveal())
    .update([url, ...sorted].join(''))
    .digest('base64');
  return { 'x-signalwire-signature': signature };
}
