import type { Leg } from '../../call/leg.ts';
import type { CallbackClient } from '../../callbacks/callback-client.ts';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Application } from '../../routing/application.ts';
import type { ScriptRunner } from '../../script/runner.ts';
import type { Step } from '../../script/verb.ts';
import type { Ask } from './ask.ts';
import { parseRoutine } from './routine.ts';

export interface SiftIncomingOptions {
  callbacks: CallbackClient;
  runner: ScriptRunner;
  log: Logger;
}

/** The body of `on_incoming` (sift.md: `{account_id, connection}`). */
export function incomingBody({ connection }: Leg): Record<string, unknown> {
  return {
    account_id: connection.accountId,
    connection: {
      connection_id: connection.connectionId,
      status: 'connecting',
      start_time: new Date(connection.startedUnixMs).toISOString(),
      end_time: null,
      from: connection.from,
      to: connection.to,
      direction: connection.direction,
    },
  };
}

/** Asks the application what to do with a call and does it. Never throws: whatever fails ends the call decently. */
export class SiftIncoming {
  readonly #options: SiftIncomingOptions;

  constructor(options: SiftIncomingOptions) {
    this.#options = options;
  }

  async answer(leg: Leg, application: Application): Promise<void> {
    const { runner, log } = this.#options;
    try {
      const routine = await this.#routine(leg, application);
      if (routine.length === 0) this.#logEmpty(leg, application);
      await runner.run(leg, routine);
    } catch (error) {
      if (leg.ended) return;
      log.warn({ connectionId: leg.id, appId: application.appId, error }, 'the call could not be served');
      leg.rejectFor(error);
    }
  }

  #logEmpty(leg: Leg, { appId }: Application): void {
    const what = 'the routine is empty: nothing answers the call';
    const error = new CallreelError('DOCUMENT_INVALID', what, { where: 'routine' });
    this.#options.log.warn({ connectionId: leg.id, appId, error }, 'the call ends unanswered');
  }

  async #routine(leg: Leg, application: Application): Promise<Step[]> {
    const { onIncoming, defaultRoutine } = application;
    const ask = this.#asker(leg);
    if (onIncoming !== undefined)
      return parseRoutine(await this.#options.callbacks.postJson(onIncoming, incomingBody(leg)), ask);
    if (defaultRoutine !== undefined) return parseRoutine({ routine: defaultRoutine }, ask);
    throw new CallreelError(
      'DOCUMENT_INVALID',
      'the application has neither on_incoming nor default_routine',
      {
        where: `application ${application.appId}`,
      },
    );
  }

  /**
   * What an `on_done` URL answers: a routine that replaces what is left, or anything else, and the routine goes on. A
   * callback that fails or answers nonsense does not end a call that is going on.
   */
  #asker({ connection }: Leg): Ask {
    const { callbacks, log } = this.#options;
    const { accountId, connectionId } = connection;
    const ask: Ask = async (url, answer) => {
      try {
        const reply = await callbacks.postJson(url, {
          account_id: accountId,
          connection_id: connectionId,
          ...answer,
        });
        const isRoutine = typeof reply === 'object' && reply !== null && 'routine' in reply;
        return isRoutine ? parseRoutine(reply, ask) : undefined;
      } catch (error) {
        log.warn({ error, connectionId }, 'an on_done callback failed; the routine goes on');
        return undefined;
      }
    };
    return ask;
  }
}
