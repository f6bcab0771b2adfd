import type {
  ConversationEnded,
  EventFormatter,
  NeutralEvent,
  RecordingChanged,
} from '../../call/neutral-events.ts';
import type { Clock } from '../../clock.ts';
import { assertNever } from '../../errors.ts';
import { type CallbackForm, inForm, type RelayBody } from './callback-form.ts';
import type { SignalwireIdentity } from './identity.ts';
import type { RecordingLinks } from './recording-link.ts';

export interface SignalwireEventOptions {
  clock: Clock;
  identity: SignalwireIdentity;
  links: RecordingLinks;
}

/** What is kept with a recording so that its events can be told, also after a restart. */
export interface RecordingContext {
  /** `swml:` and the id of the session that started it; of the REST door `calling:` and the call. */
  channel: string;
  /** Of this server when it was started: where its URL begins. */
  baseUrl: string;
}

/** The bodies that receivers of this dialect's events get, by the form in which they want them. */
export function signalwireFormatters(options: SignalwireEventOptions): Record<CallbackForm, EventFormatter> {
  const formatterOf = (form: CallbackForm): EventFormatter => {
    return (event) => {
      const body = bodyOf(event, options);
      return body && inForm(form, body);
    };
  };
  return {
    signalwire: formatterOf('signalwire'),
    'signalwire-get': formatterOf('signalwire-get'),
    'signalwire-form': formatterOf('signalwire-form'),
    'signalwire-form-get': formatterOf('signalwire-form-get'),
  };
}

function bodyOf(event: NeutralEvent, options: SignalwireEventOptions): RelayBody | undefined {
  switch (event.kind) {
    case 'recording.changed':
      return changedBody(heardOrNot(event), options);
    case 'recording.delivery':
    case 'recording.transcript':
    case 'conversation.transcript':
      return undefined;
    case 'conversation.ended':
      return conferenceEnd(event, options);
    case 'conversation.warning':
      return {
        ...envelope('calling.script.warning', `conference:${event.conversationId}`, options),
        params: { message: event.message, feature: event.feature },
      };
    default:
      return assertNever(event, 'event');
  }
}

function changedBody(event: RecordingChanged, options: SignalwireEventOptions): RelayBody | undefined {
  if (!isWanted(event)) return undefined;
  return event.connectionId === undefined
    ? conferenceRecordEvent(event, options)
    : recordEvent(event, options);
}

/** A conference of which no audio ever came is `absent` to the vendor, where a call is finished. */
function heardOrNot(event: RecordingChanged): RecordingChanged {
  const isAbsent = isOfConference(event) && event.end?.reason === 'no_media';
  return isAbsent ? { ...event, state: 'no_input' } : event;
}

function envelope(
  eventType: string,
  channel: string,
  { clock, identity }: SignalwireEventOptions,
): Omit<RelayBody, 'params'> {
  return {
    event_type: eventType,
    event_channel: channel,
    timestamp: clock.unixMs() / 1000,
    project_id: identity.projectId,
    space_id: identity.spaceId,
  };
}

/**
 * `calling.call.record`, with both forms of what is said of the file: nested (`record_call`) and beside the state
 * (`record`).
 */
function recordEvent(event: RecordingChanged, options: SignalwireEventOptions): RelayBody {
  return {
    ...envelope('calling.call.record', contextOf(event).channel, options),
    params: {
      call_id: event.connectionId,
      node_id: options.identity.nodeId,
      ...recordingParams(event, options),
    },
  };
}

function recordingParams(event: RecordingChanged, { links }: SignalwireEventOptions) {
  const { recordingId, state, end, format, stereo, direction, controlId = recordingId } = event;
  const url = links.url(contextOf(event).baseUrl, recordingId);
  const file = end?.file && { url, duration: end.file.durationSeconds, size: end.file.bytes, format };
  const audio = { format, direction, stereo };
  return {
    control_id: controlId,
    state,
    ...(state === 'paused' && { pause_behavior: event.pauseBehaviour === 'skip' ? 'skip' : 'silence' }),
    recording_id: recordingId,
    url,
    ...file,
    ...(end && { start_time: end.startedUnixMs / 1000, end_time: end.endedUnixMs / 1000 }),
    ...(file && { record: { ...file, audio } }),
  };
}

/** `calling.conference`, as the vendor tells of a conference's recording, and beside it what is told of a call's. */
function conferenceRecordEvent(event: RecordingChanged, options: SignalwireEventOptions): RelayBody {
  const { state, resumed } = event;
  const progress = { recording: resumed ? 'record-resume' : 'record-start', paused: 'record-pause' };
  const status = state === 'recording' || state === 'paused' ? progress[state] : 'record-stop';
  return {
    ...envelope('calling.conference', contextOf(event).channel, options),
    params: {
      ...{ name: event.conferenceName, conference_id: event.conversationId, status },
      node_id: options.identity.nodeId,
      ...conferenceFile(event, options),
      ...recordingParams(event, options),
    },
  };
}

function conferenceFile(event: RecordingChanged, { links }: SignalwireEventOptions) {
  const { recordingId, end } = event;
  return {
    recording_url: links.url(contextOf(event).baseUrl, recordingId),
    ...(end?.file && { recording_duration: end.file.durationSeconds, recording_file_size: end.file.bytes }),
  };
}

const endReasons = {
  'last-left': 'last-participant-left',
  'end-on-exit': 'participant-with-end-conference-on-exit-left',
} as const;

function conferenceEnd(event: ConversationEnded, options: SignalwireEventOptions): RelayBody {
  const { conversationId, conferenceName, recordings, endedBy } = event;
  // Its URL begins where this dialect's sessions were when they asked for it.
  const recorded = recordings
    .map(({ ended }) => ended)
    .findLast((ended) => ended && contextOf(ended).baseUrl);
  return {
    ...envelope('calling.conference', `conference:${conversationId}`, options),
    params: {
      ...(endedBy && { call_id: endedBy.connectionId }),
      ...{ name: conferenceName, conference_id: conversationId, status: 'conference-end', size: 0 },
      node_id: options.identity.nodeId,
      reason_ended: endedBy ? endReasons[endedBy.reason] : 'internal-error',
      ...(endedBy && { call_id_ending_conf: endedBy.connectionId }),
      ...(recorded?.end?.file && conferenceFile(recorded, options)),
      ...{ start_time: event.startedUnixMs / 1000, end_time: event.endedUnixMs / 1000 },
    },
  };
}

/** What `recording_status_callback_event` of a conference calls the states. */
const conferenceEvents: Readonly<Record<RecordingChanged['state'], string>> = {
  recording: 'in-progress',
  paused: 'in-progress',
  finished: 'completed',
  no_input: 'absent',
  error: 'absent',
};

/** Unless told otherwise it asks for the end, whatever became of it. */
function isWanted(event: RecordingChanged): boolean {
  if (!isOfConference(event)) return true;
  const asked = event.dialectData?.status_events;
  const wanted = Array.isArray(asked) ? asked : ['completed', 'absent'];
  return wanted.includes(conferenceEvents[event.state]);
}

function isOfConference({ dialectData }: RecordingChanged): boolean {
  return dialectData?.method === 'join_conference';
}

function contextOf({ dialectData = {}, conversationId }: RecordingChanged): RecordingContext {
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
  return {
    channel: text(dialectData.channel, `conference:${conversationId}`),
    baseUrl: text(dialectData.baseUrl, ''),
  };
}
