import type { Leg } from '../../call/leg.ts';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Application } from '../../routing/application.ts';
import type { SwmlSessions } from './swml-sessions.ts';

/** Serves calls by the documents of applications. */
export class SwmlIncoming {
  readonly #sessions: SwmlSessions;
  readonly #log: Logger;

  constructor(sessions: SwmlSessions, log: Logger) {
    this.#sessions = sessions;
    this.#log = log;
  }

  /** Never throws: whatever fails ends the call decently. */
  async answer(leg: Leg, { appId, onIncoming, defaultRoutine }: Application): Promise<void> {
    if (onIncoming !== undefined) return await this.#sessions.run(leg, { url: onIncoming });
    if (defaultRoutine !== undefined) return await this.#sessions.run(leg, { document: defaultRoutine });
    const where = `application ${appId}`;
    const error = new CallreelError('DOCUMENT_INVALID', 'it has neither a URL nor a document', { where });
    this.#log.warn({ connectionId: leg.id, appId, error }, 'the call could not be served');
    leg.rejectFor(error);
  }
}
