import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { SignalwireIdentity } from './identity.ts';

/** One POST of an event that is not of a conversation's or a recording's state. */
export interface StatusPost {
  /** What it is of; those of one call to one URL keep their order. */
  callId: string;
  url: string;
  type: string;
  body: Record<string, unknown>;
}

export interface StatusCallbackOptions {
  clock: Clock;
  log: Logger;
  identity: SignalwireIdentity;
  /** Writes it to the outbox: signed and tried again as every event is. */
  post(event: StatusPost): Promise<void>;
}

/** Tells `status_url`s how a call, or what is done to it, goes on. */
export class StatusCallbacks {
  readonly #options: StatusCallbackOptions;
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: StatusCallbackOptions) {
    this.#options = options;
  }

  /** Never waits: a call does not depend on who listens to it. */
  post(event: StatusPost): void {
    const { log, post } = this.#options;
    const before = this.#last.get(event.callId) ?? Promise.resolve();
    const done = before
      .then(() => post(event))
      .catch((error: unknown) => log.error({ error, callId: event.callId }, 'a status event was not written'))
      .finally(() => {
        if (this.#last.get(event.callId) === done) this.#last.delete(event.callId);
      });
    this.#last.set(event.callId, done);
  }

  /** In the form of `calling.call.*`. */
  callEvent(
    url: string,
    callId: string,
    channel: string,
    type: string,
    params: Record<string, unknown>,
  ): void {
    const { clock, identity } = this.#options;
    this.post({
      callId,
      url,
      type,
      body: {
        event_type: type,
        event_channel: channel,
        timestamp: clock.unixMs() / 1000,
        project_id: identity.projectId,
        space_id: identity.spaceId,
        params: { call_id: callId, node_id: identity.nodeId, ...params },
      },
    });
  }

  async whenIdle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
