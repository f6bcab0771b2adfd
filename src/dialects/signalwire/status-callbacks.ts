import type { Clock } from '../../clock.ts';
import { withSaneTexts } from '../../sane-input.ts';
import { type CallbackForm, inForm, type RelayBody } from './callback-form.ts';
import type { SignalwireIdentity } from './identity.ts';

/** One POST of an event that is not of a conversation's or a recording's state. */
export interface StatusPost {
  /** What it is of; those of one call to one URL keep their order. */
  callId: string;
  url: string;
  type: string;
  /** Without it: a POST of JSON. */
  form?: CallbackForm;
  body: Record<string, unknown>;
}

/** An event of a call or a conference, before it has its form. */
export interface StatusEvent {
  /** The call's id, or the conversation's. */
  key: string;
  url: string;
  channel: string;
  type: string;
  form?: CallbackForm;
  params: Record<string, unknown>;
}

export interface StatusCallbackOptions {
  clock: Clock;
  identity: SignalwireIdentity;
  /** Told of what has no URL of its own, of calls that have none either. */
  statusUrl?: string | undefined;
  /** Has it written to the outbox, in order: signed and tried again as every event is. Never waits. */
  post(event: StatusPost): void;
}

/** Tells `status_url`s how a call, or what is done to it, goes on. */
export class StatusCallbacks {
  readonly #options: StatusCallbackOptions;
  /** By call: who is told of it. */
  readonly #listeners = new Map<string, string>();

  constructor(options: StatusCallbackOptions) {
    this.#options = options;
  }

  /** Never waits: a call does not depend on who listens to it. */
  post(event: StatusPost): void {
    this.#options.post(event);
  }

  /** In the form of `calling.call.*`. */
  callEvent(
    url: string,
    callId: string,
    channel: string,
    type: string,
    params: Record<string, unknown>,
  ): void {
    const { nodeId } = this.#options.identity;
    const about = { call_id: callId, node_id: nodeId };
    this.event({ key: callId, url, channel, type, params: { ...about, ...params } });
  }

  /** Until the call is forgotten. */
  listen(callId: string, url: string): void {
    this.#listeners.set(callId, url);
  }

  forget(callId: string): void {
    this.#listeners.delete(callId);
  }

  /**
   * For whoever is told of the call: the `status_url` that it was placed with, or the server's.
   * @param except has been told
   */
  callerEvent(
    callId: string,
    channel: string,
    type: string,
    params: Record<string, unknown>,
    except?: string,
  ): void {
    const url = this.#listeners.get(callId) ?? this.#options.statusUrl;
    if (url !== undefined && url !== except) this.callEvent(url, callId, channel, type, params);
  }

  event({ key, url, channel, type, form = 'signalwire', params }: StatusEvent): void {
    const { clock, identity } = this.#options;
    const told: RelayBody = {
      event_type: type,
      event_channel: channel,
      timestamp: clock.unixMs() / 1000,
      project_id: identity.projectId,
      space_id: identity.spaceId,
      // A caller or an answered request may have brought what no database keeps: the event is told all the same.
      params: withSaneTexts(params) as Record<string, unknown>,
    };
    this.post({ callId: key, url, type, form, body: inForm(form, told) });
  }
}
