import type {
  ConferenceMember,
  ConferenceObserver,
  ObservedConference,
} from '../../call/conference-options.ts';
import type { Leg } from '../../call/leg.ts';
import type { CallbackForm } from './callback-form.ts';
import type { SignalwireIdentity } from './identity.ts';
import type { StatusCallbacks } from './status-callbacks.ts';

/** What a `status_callback` may ask for. There is no one who tells `speaker`, `modify` and `announcement`. */
export const conferenceEvents = [
  'start',
  'end',
  'join',
  'leave',
  'mute',
  'hold',
  'modify',
  'speaker',
  'announcement',
] as const;
export type ConferenceEvent = (typeof conferenceEvents)[number];

/** A `status_callback` of `join_conference`. */
export interface ConferenceStatusWish {
  url: string;
  /** Without it: all. */
  events: readonly ConferenceEvent[] | undefined;
  form: CallbackForm;
}

export interface ConferenceStatusOptions {
  statuses: StatusCallbacks;
  identity: SignalwireIdentity;
  /** Of the session that joins. */
  channel: string;
}

/** By conference and URL: what all of those who brought it ask for. The first of them tells. */
const wanted = new WeakMap<
  ObservedConference,
  Map<string, { teller: ConferenceStatus; events: Set<ConferenceEvent> }>
>();

/**
 * Tells a `status_callback` how the conference goes on, from the coming of who brought it on; its end is told by the
 * directory, with the recording's file. A URL that several bring is told each event once.
 */
export class ConferenceStatus implements ConferenceObserver {
  readonly #wish: ConferenceStatusWish;
  readonly #options: ConferenceStatusOptions;

  constructor(wish: ConferenceStatusWish, options: ConferenceStatusOptions) {
    this.#wish = wish;
    this.#options = options;
  }

  came(conference: ObservedConference, leg: Leg): void {
    this.#register(conference);
    this.#tell(conference, 'join', 'participant-join', leg);
  }

  begun(conference: ObservedConference): void {
    this.#tell(conference, 'start', 'conference-start', undefined);
  }

  went(conference: ObservedConference, leg: Leg, member: ConferenceMember): void {
    this.#tell(conference, 'leave', 'participant-leave', leg, member);
  }

  muted(conference: ObservedConference, leg: Leg, muted: boolean): void {
    this.#tell(conference, 'mute', muted ? 'participant-mute' : 'participant-unmute', leg);
  }

  held(conference: ObservedConference, leg: Leg, held: boolean): void {
    this.#tell(conference, 'hold', held ? 'participant-hold' : 'participant-unhold', leg);
  }

  #register(conference: ObservedConference): void {
    const { url, form, events = conferenceEvents } = this.#wish;
    const byUrl = wanted.get(conference) ?? new Map();
    wanted.set(conference, byUrl);
    const key = `${form} ${url}`;
    const known = byUrl.get(key) ?? { teller: this, events: new Set() };
    byUrl.set(key, known);
    for (const event of events) known.events.add(event);
  }

  /** @param member of the leg, where it is not there any more */
  #tell(
    conference: ObservedConference,
    event: ConferenceEvent,
    status: string,
    leg: Leg | undefined,
    member = leg && conference.muteOf(leg.id),
  ): void {
    const { url, form } = this.#wish;
    const known = wanted.get(conference)?.get(`${form} ${url}`);
    if (known?.teller !== this || !known.events.has(event)) return;
    const { statuses, channel, identity } = this.#options;
    const { conversationId, name, memberCount } = conference;
    statuses.event({
      ...{ key: conversationId, url, channel, form, type: 'calling.conference' },
      params: {
        ...(leg && { call_id: leg.id }),
        ...{ name, conference_id: conversationId, status, size: memberCount, node_id: identity.nodeId },
        ...(leg && member && participant(leg, member)),
      },
    });
  }
}

function participant(leg: Leg, { options, muted, held }: ConferenceMember): Record<string, unknown> {
  const { startOnEnter = true, endOnExit = false } = options;
  const { connectionId, callId = connectionId } = leg.connection;
  return {
    ...{ segment_id: callId, muted, hold: held },
    ...{ start_on_join: startOnEnter, end_on_leave: endOnExit, coaching: false },
  };
}
