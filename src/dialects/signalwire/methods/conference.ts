import type { JoinOptions } from '../../../call/conference.ts';
import { eventCallbackIn } from '../../../call/event-callback.ts';
import type { RecordingWishes } from '../../../call/recording.ts';
import type { Prompt } from '../../../script/verb.ts';
import { type CallbackType, callbackFormOf } from '../callback-form.ts';
import { type ConferenceEvent, type ConferenceStatusWish, conferenceEvents } from '../conference-status.ts';
import type { Json } from '../json.ts';
import {
  flag,
  ineffective,
  invalid,
  type Kind,
  number,
  oneOf,
  optional,
  required,
  text,
  unavailable,
  url,
  withDefault,
} from '../parameters.ts';
import type { Path } from '../script-error.ts';
import { branch, runBranch } from './branch.ts';
import { failed, method, perform, type Run } from './method.ts';

/** Events with blanks between them. */
function eventsOf<const E extends string>(...known: readonly E[]): Kind<readonly E[]> {
  return {
    read(value, path) {
      const names =
        typeof value === 'string'
          ? value.split(/[\s,]+/).filter(Boolean)
          : Array.isArray(value)
            ? value.map(String)
            : [];
      const unknown = names.find((name) => !known.some((each) => each === name));
      if (names.length === 0 || unknown !== undefined)
        return invalid(
          `${known.join(', ')} are expected, with blanks between them${unknown === undefined ? '' : `, not "${unknown.slice(0, 40)}"`}`,
          path,
        );
      return known.filter((each) => names.includes(each));
    },
  };
}

const httpMethod = oneOf('GET', 'POST');
const eventType = oneOf('cxml', 'laml', 'relay');

export const joinConference = method({
  name: 'join_conference',
  parameters: {
    name: required(text({ maxLength: 200, form: /^[^\0\r\n]+$/, expected: 'a name is' })),
    muted: withDefault(flag, false),
    beep: withDefault(oneOf('true', 'false', 'onEnter', 'onExit'), 'true'),
    start_on_enter: withDefault(flag, true),
    end_on_exit: withDefault(flag, false),
    wait_url: optional(url),
    max_participants: withDefault(number({ min: 2, max: 100_000, whole: true }), 100_000),
    record: withDefault(oneOf('do-not-record', 'record-from-start'), 'do-not-record'),
    region: ineffective('a conference is where its calls are'),
    trim: withDefault(oneOf('trim-silence', 'do-not-trim'), 'trim-silence'),
    coach: unavailable('there is no coaching in this version'),
    status_callback: optional(url),
    status_callback_method: withDefault(httpMethod, 'POST'),
    status_callback_event: optional(eventsOf(...conferenceEvents)),
    status_callback_event_type: optional(eventType),
    recording_status_callback: optional(url),
    recording_status_callback_method: withDefault(httpMethod, 'POST'),
    recording_status_callback_event: optional(eventsOf('in-progress', 'completed', 'absent')),
    recording_status_callback_event_type: optional(eventType),
    stream: unavailable('conferences can not be streamed in this version'),
    result: optional(branch),
  },
  shorthand: (name) => (typeof name === 'string' ? { name } : undefined),
  async run(values, run, path) {
    const recording = recordingOf(values);
    const status = statusOf(values);
    const waitPrompts =
      values.wait_url === undefined ? undefined : await waitPromptsOf(values.wait_url, run, path);
    const options: JoinOptions & { waitPrompts?: readonly Prompt[] } = {
      policy: values.record === 'record-from-start' ? 'record' : 'follow',
      leaveKey: undefined,
      eventCallback:
        status && (status.events ?? ['end']).includes('end')
          ? eventCallbackIn(status.form, status.url)
          : undefined,
      ...(status && { observer: run.host.conferenceStatus(status) }),
      muted: values.muted,
      ...(recording && { recording }),
      ...(values.beep !== 'false' && { beep: beeps[values.beep] }),
      startOnEnter: values.start_on_enter,
      endOnExit: values.end_on_exit,
      maxParticipants: values.max_participants,
      ...(waitPrompts && waitPrompts.length > 0 && { waitPrompts }),
    };
    const stay = await perform(run, { verb: 'join-conference', name: values.name, options }, path);
    const result = stay ? 'completed' : 'failed';
    run.variables.setAll({ join_conference_result: result, return_value: result });
    return await runBranch(values.result, [...path, 'result'], run);
  },
});

const beeps = { true: 'both', onEnter: 'enter', onExit: 'exit' } as const;

interface RecordedConference {
  record: 'do-not-record' | 'record-from-start';
  trim: 'trim-silence' | 'do-not-trim';
  recording_status_callback: string | undefined;
  recording_status_callback_method: 'GET' | 'POST';
  recording_status_callback_event: readonly string[] | undefined;
  recording_status_callback_event_type: CallbackType | undefined;
}

interface StatusOfConference {
  status_callback: string | undefined;
  status_callback_method: 'GET' | 'POST';
  status_callback_event: readonly ConferenceEvent[] | undefined;
  status_callback_event_type: CallbackType | undefined;
}

function statusOf(values: StatusOfConference): ConferenceStatusWish | undefined {
  const { status_callback: to, status_callback_event: events } = values;
  const form = callbackFormOf(values.status_callback_event_type, values.status_callback_method);
  return to === undefined ? undefined : { url: to, events, form };
}

function recordingOf(values: RecordedConference): RecordingWishes | undefined {
  if (values.record === 'do-not-record') return undefined;
  const data: Record<string, Json> = { method: 'join_conference' };
  if (values.recording_status_callback_event) data.status_events = values.recording_status_callback_event;
  return {
    statusUrl: values.recording_status_callback,
    options: { trim: values.trim === 'trim-silence' },
    format: 'wav',
    dialect: callbackFormOf(
      values.recording_status_callback_event_type,
      values.recording_status_callback_method,
    ),
    dialectData: data as NonNullable<RecordingWishes['dialectData']>,
  };
}

/** What is played in the document behind `wait_url`; without it, the conference has its own. */
async function waitPromptsOf(waitUrl: string, run: Run, path: Path): Promise<readonly Prompt[] | undefined> {
  try {
    return await run.promptsAt(waitUrl, [...path, 'wait_url']);
  } catch (error) {
    if (run.host.ended.aborted) throw error;
    failed(run, [...path, 'wait_url'], error);
    return undefined;
  }
}
