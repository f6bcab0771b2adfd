import type { Leg } from '../../call/leg.ts';
import { CallreelError } from '../../errors.ts';
import type { Application } from '../../routing/application.ts';
import type { Prompt } from '../../script/verb.ts';
import type { SinchApplication, SinchApplications } from './application.ts';
import { type CallDomain, type CallHeader, type Destination, iceBody } from './callback-bodies.ts';
import type { InlineCallback } from './callouts.ts';
import { LiveSession, type SessionParts } from './live-session.ts';
import { manage } from './manage.ts';
import { askAbout } from './put-through.ts';
import type { PlacedCall, SinchSession } from './session.ts';

export type { PlacedCall, SinchSession, Whom } from './session.ts';

export interface SinchSessionsOptions extends SessionParts {
  applications: SinchApplications;
  /** Base of the URLs given out; known once the server listens. */
  publicUrl(): string;
}

const errorPrompt: Prompt = {
  kind: 'text',
  text: 'We are sorry, an application error has occurred. Goodbye.',
  locale: 'en-US',
};

/** The calls of applications that decide by SVAML, as long as they live. */
export class SinchSessions {
  readonly #options: SinchSessionsOptions;
  readonly #sessions = new Map<string, SinchSession>();

  constructor(options: SinchSessionsOptions) {
    this.#options = options;
  }

  /** Asks what to do with a call that comes in (ICE), and does it. Never throws: whatever fails ends the call decently. */
  async answer(leg: Leg, { appId }: Application): Promise<void> {
    try {
      const application = await this.#options.applications.find(appId);
      if (!application)
        throw new CallreelError('NOT_FOUND', 'there is no such application', { where: appId });
      if (leg.ended) return;
      await this.#serve(leg, application);
    } catch (error) {
      this.#options.log.warn({ error, connectionId: leg.id, appId }, 'the call could not be served');
      leg.rejectFor(error);
    }
  }

  /** A call that we placed, from its being on its way on; it is served when it is answered. */
  adopt(leg: Leg, request: PlacedCall): SinchSession {
    const { application, custom, from, to, ace, pie, dice } = request;
    const session = new LiveSession(
      leg,
      {
        ...{ application, custom, from, to, side: 'callee', dialed: to.endpoint },
        domain: to.type === 'username' ? 'mxp' : 'pstn',
        callbacks: {
          ace: ace ?? (request.enableAce ? 'application' : undefined),
          pie: pie ?? (request.enablePie ? 'application' : undefined),
          dice: dice === undefined ? (request.enableDice ? 'application' : undefined) : { url: dice },
        },
      },
      this.#options,
    );
    if (request.dialed) session.dialing(request.dialed);
    let isServed = false;
    const answered = async (who: Leg) => {
      if (isServed) return;
      isServed = true;
      session.answeredBy(who);
      await this.#placed(who, session, request);
    };
    const live = this.#keep(session, answered);
    if (leg.answered) void answered(leg);
    else leg.addHandlers({ answered: () => void answered(leg) });
    return live;
  }

  /** A live one. @param callId of its first leg, or of its called one */
  session(callId: string): SinchSession | undefined {
    const known = this.#sessions.get(callId);
    if (known) return known;
    for (const session of this.#sessions.values()) if (session.calledLeg?.id === callId) return session;
    return undefined;
  }

  async #serve(leg: Leg, application: SinchApplication): Promise<void> {
    const { from, to } = leg.connection;
    const callHeaders = callHeadersOf(leg);
    const destination: Destination = { type: 'did', endpoint: to };
    const session = new LiveSession(
      leg,
      {
        ...{ application, custom: undefined, from, to: destination, side: 'caller', dialed: to, callHeaders },
        domain: domainOf(leg),
        callbacks: { ace: 'application', pie: 'application', dice: 'application' },
      },
      this.#options,
    );
    this.#keep(session, async () => undefined);
    const answer = await this.#ask(session, leg, undefined);
    if (leg.ended) return;
    if (answer && 'svaml' in answer) return await session.serveSvaml(leg, answer.svaml);
    const isNonsense = answer?.failure === 'svaml';
    session.dialogue.record.ends({
      reason: isNonsense ? 'INVALIDSVAMLACTION' : 'CALLBACKERROR',
      result: 'FAILED',
    });
    this.#options.log.warn(
      { connectionId: leg.id, application: application.key, failure: answer?.failure },
      'nobody says what to do with a call',
    );
    await session.serve(leg, [{ verb: 'play', prompts: [errorPrompt] }]);
  }

  async #ask(session: LiveSession, leg: Leg, inline: InlineCallback | undefined) {
    const { application, request, subject } = session;
    const { callbacks, document } = application;
    const isAlone = !inline && callbacks.primary === undefined && callbacks.fallback === undefined;
    if (isAlone && document !== undefined) {
      const answer = this.#options.callbacks.read(subject, 'ice', document.reveal());
      if ('svaml' in answer) session.dialogue.take(answer.svaml);
      return answer;
    }
    const { domain } = request;
    const body = iceBody({
      ...session.dialogue.record.head(this.#options.clock.unixMs()),
      callResourceUrl: `${this.#options.publicUrl()}/calling/v1/calls/id/${session.callId}`,
      cli: request.from,
      to: request.to,
      ...{ domain, originationType: domain, callHeaders: request.callHeaders },
      rdnis: leg.connection.sipIdentity?.diversion?.[0]?.user,
    });
    return await session.dialogue.ask({ use: 'ice', body }, inline ?? 'application');
  }

  async #placed(leg: Leg, session: LiveSession, request: PlacedCall): Promise<void> {
    const { clock } = this.#options;
    const limit = clock.after(request.maxDurationMs, () => leg.hangUp('the longest duration is over'));
    leg.addHandlers({ ended: () => limit.cancel() });
    const { dtmf, document, steps } = request;
    if (dtmf !== undefined)
      await session
        .script(leg)
        .beside([{ verb: 'send-digits', digits: dtmf }])
        .catch((error: unknown) => this.#options.log.warn({ error, connectionId: leg.id }, 'keys not sent'));
    const leads = await askAbout(session, leg).catch(() => undefined);
    if (leg.ended) return;
    if (leads) return await session.serve(leg, session.lead(leg, leads));
    if (steps) return await session.serve(leg, steps);
    if (document) {
      session.dialogue.take(document);
      this.#options.callbacks.tellWarnings(session.subject, document.warnings);
      return await session.serveSvaml(leg, document);
    }
    const answer = request.ice && (await this.#ask(session, leg, request.ice));
    if (answer && 'svaml' in answer) await session.serveSvaml(leg, answer.svaml);
    else await session.serve(leg, []);
  }

  #keep(session: LiveSession, answered: (leg: Leg) => Promise<void>): SinchSession {
    const { callId, application } = session;
    const live: SinchSession = {
      ...{ callId, application, answered },
      get leg() {
        return session.leg;
      },
      get calledLeg() {
        return session.calledLeg;
      },
      manage: (svaml, whom) => manage(session, svaml, whom),
    };
    this.#sessions.set(callId, live);
    void session.whenOver.then(() => this.#sessions.delete(callId));
    return live;
  }
}

/** Of another network, or of a client of ours. */
function domainOf({ connection: { trunkId, from } }: Leg): CallDomain {
  return trunkId !== undefined || /^\+?\d+$/.test(from) ? 'pstn' : 'mxp';
}

const maxHeaders = 30;
const maxHeaderCharacters = 1000;

function callHeadersOf({ session: { headers } }: Leg): CallHeader[] | undefined {
  const given = headers.filter(({ name, value }) => /^x-/i.test(name) && value.length <= maxHeaderCharacters);
  return given.length === 0
    ? undefined
    : given.slice(0, maxHeaders).map(({ name, value }) => ({ key: name.slice(2), value }));
}
