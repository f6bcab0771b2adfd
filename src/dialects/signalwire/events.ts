import type { EventFormatter, RecordingChanged } from '../../call/neutral-events.ts';
import type { Clock } from '../../clock.ts';
import { assertNever } from '../../errors.ts';
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

/** The bodies that receivers of this dialect's events get. */
export function signalwireEventFormatter(options: SignalwireEventOptions): EventFormatter {
  return (event) => {
    switch (event.kind) {
      case 'recording.changed':
        return isWanted(event) ? recordEvent(event, options) : undefined;
      case 'recording.delivery':
        return undefined;
      case 'conversation.ended':
        return {
          ...envelope('calling.conference', `conference:${event.conversationId}`, options),
          params: {
            conference_id: event.conversationId,
            conference_name: event.conferenceName,
            status: 'conference-end',
            start_time: event.startedUnixMs / 1000,
            end_time: event.endedUnixMs / 1000,
          },
        };
      case 'conversation.warning':
        return {
          ...envelope('calling.script.warning', `conference:${event.conversationId}`, options),
          params: { message: event.message, feature: event.feature },
        };
      default:
        return assertNever(event, 'event');
    }
  };
}

function envelope(
  eventType: string,
  channel: string,
  { clock, identity }: SignalwireEventOptions,
): Record<string, unknown> {
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
function recordEvent(event: RecordingChanged, options: SignalwireEventOptions): Record<string, unknown> {
  const { recordingId, state, end, format, stereo, direction, controlId = recordingId } = event;
  const { channel, baseUrl } = contextOf(event);
  const url = options.links.url(baseUrl, recordingId);
  const file = end?.file && { url, duration: end.file.durationSeconds, size: end.file.bytes, format };
  const audio = { format, direction, stereo };
  return {
    ...envelope('calling.call.record', channel, options),
    params: {
      ...(event.connectionId === undefined
        ? { conference_id: event.conversationId, conference_name: event.conferenceName }
        : { call_id: event.connectionId }),
      node_id: options.identity.nodeId,
      control_id: controlId,
      state,
      ...(state === 'paused' && { pause_behavior: event.pauseBehaviour === 'skip' ? 'skip' : 'silence' }),
      recording_id: recordingId,
      url,
      ...file,
      ...(end && { start_time: end.startedUnixMs / 1000, end_time: end.endedUnixMs / 1000 }),
      ...(file && { record: { ...file, audio } }),
    },
  };
}

/** What `recording_status_callback_event` of a conference calls the states; it asks for the end unless told. */
const conferenceEvents: Readonly<Record<RecordingChanged['state'], string>> = {
  recording: 'in-progress',
  paused: 'paused',
  finished: 'completed',
  no_input: 'absent',
  error: 'absent',
};

function isWanted({ state, dialectData = {} }: RecordingChanged): boolean {
  if (dialectData.method !== 'join_conference') return true;
  const wanted = Array.isArray(dialectData.status_events) ? dialectData.status_events : ['completed'];
  return wanted.includes(conferenceEvents[state]);
}

function contextOf({ dialectData = {}, conversationId }: RecordingChanged): RecordingContext {
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
  return {
    channel: text(dialectData.channel, `conference:${conversationId}`),
    baseUrl: text(dialectData.baseUrl, ''),
  };
}
