import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { SipReferral, SipReplaces, SipSession } from '../sip/session.ts';
import type { Conference, JoinOptions } from './conference.ts';
import { type CallTarget, type ResolvedTarget, seat } from './connector.ts';
import { type Dialer, DialFailure } from './dialer.ts';
import type { CallEndReason } from './end-reason.ts';
import type { Leg } from './leg.ts';
import type { LiveCalls } from './live-calls.ts';
import { Ringback } from './ringback.ts';

export interface TransfersOptions {
  calls: Pick<LiveCalls, 'leg' | 'legOf' | 'conferenceOf'>;
  dialer: Pick<Dialer, 'dial'>;
  log: Logger;
  answerTimeoutMs: number;
  /** @throws CallreelError OUTBOUND_FORBIDDEN, NO_TRUNK, NUMBER_INVALID, NOT_FOUND */
  resolve(leg: Leg, target: CallTarget): Promise<ResolvedTarget>;
  /** The call of ours that a Replaces names. */
  find(replaces: SipReplaces): SipSession | undefined;
}

/** What a transferor is told of a party that was not reached. */
const statusByReason: Readonly<Partial<Record<CallEndReason, number>>> = {
  busy: 486,
  declined: 603,
  'no-answer': 480,
  'not-found': 404,
  forbidden: 403,
  'not-acceptable': 488,
  cancelled: 487,
};

/** The catalogue's HTTP statuses are not SIP's. */
const statusByCode: Readonly<Record<string, number>> = {
  OUTBOUND_FORBIDDEN: 403,
  NUMBER_INVALID: 484,
  NO_TRUNK: 404,
  NOT_FOUND: 404,
};

/**
 * Transfers by the parties themselves (RFC 3515, RFC 3891, RFC 5589). The conversation and its recordings go on: the
 * new party joins it, then the one that transferred leaves; where the new party is not reached, nobody leaves.
 */
export class Transfers {
  readonly #options: TransfersOptions;

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** A party's REFER. Never throws. */
  referred(leg: Leg, referral: SipReferral): void {
    const { calls, find, log } = this.#options;
    const conference = calls.conferenceOf(leg.id);
    const replaced = referral.replaces && find(referral.replaces);
    const consulting = replaced && calls.legOf(replaced);
    if (conference === undefined) {
      referral.reject(603, 'Not In A Conversation');
      return;
    }
    const transfer = consulting
      ? this.#attended({ leg, conference }, consulting, referral)
      : this.#blind(leg, conference, referral);
    transfer.catch((error: unknown) => {
      const expected = error instanceof CallreelError;
      log[expected ? 'warn' : 'error']({ error, connectionId: leg.id }, 'a transfer failed');
    });
  }

  /**
   * An INVITE with Replaces: the new leg takes the place of the one it names.
   * @returns false where that one is in no conversation
   * @throws CallreelError what the new leg's media could not do
   */
  async takeOver(leg: Leg, replaced: SipSession): Promise<boolean> {
    const { calls, log } = this.#options;
    const old = calls.legOf(replaced);
    const conference = old && calls.conferenceOf(old.id);
    const options = old && conference?.optionsOf(old.id);
    if (!old || !conference || !options) return false;
    if (old.connection.accountId !== leg.connection.accountId) return false;
    const arrived = conference.expect();
    try {
      await leg.openMedia(conference.worker);
      if (conference.closed) return false;
      conference.stepOut(old.id);
      // RFC 3891 section 3: the old call is ended once the new one is accepted; whatever becomes of that.
      leg.addHandlers({ answered: () => old.hangUp('replaced'), ended: () => old.hangUp('replaced') });
      seat(conference, leg, inPlaceOf(options)).catch((error: unknown) =>
        log.warn({ error, connectionId: leg.id }, 'a call could not take the place of another'),
      );
      return true;
    } finally {
      arrived();
    }
  }

  /** The new party is called as the transferring one would call it, and takes its place when it answers. */
  async #blind(leg: Leg, conference: Conference, referral: SipReferral): Promise<void> {
    const options = conference.optionsOf(leg.id);
    if (!options) return referral.reject(603);
    referral.accept();
    const arrived = conference.expect();
    try {
      const called = await this.#dial(leg, conference, referral);
      if (conference.closed) {
        called.hangUp('nobody is left');
        await referral.finish(487);
        return;
      }
      conference.stepOut(leg.id);
      seat(conference, called, inPlaceOf(options)).catch((error: unknown) =>
        this.#options.log.warn({ error, connectionId: called.id }, 'a party could not be put through'),
      );
    } catch (error) {
      // Told first: a party that is left alone is hung up.
      await referral.finish(statusOf(error));
      throw error;
    } finally {
      arrived();
    }
    await referral.finish(200);
    leg.hangUp('transferred');
  }

  async #dial(leg: Leg, conference: Conference, referral: SipReferral): Promise<Leg> {
    const { dialer, resolve, answerTimeoutMs } = this.#options;
    const { target, referredBy } = referral;
    const tones = this.#waiting(leg, conference).map((waiting) => new Ringback(waiting));
    const left = new AbortController();
    const stopWatching = conference.watch(() => {
      if (conference.members.every(({ connectionId }) => connectionId === leg.id)) left.abort();
    });
    try {
      const { to, from, ways, order } = await resolve(leg, { kind: 'address', address: target });
      const more = referredBy === undefined ? [] : [{ name: 'Referred-By', value: referredBy }];
      return await dialer.dial({
        accountId: leg.connection.accountId,
        from,
        to,
        callerId: leg.id,
        targets: ways.map((way) => ({ ...way, headers: [...(way.headers ?? []), ...more] })),
        order,
        worker: conference.worker,
        timeoutMs: answerTimeoutMs,
        joinsAtAnswer: true,
        signal: left.signal,
        progress: (_leg, status) => {
          for (const tone of tones) tone.start();
          referral.progress(status);
        },
      });
    } finally {
      stopWatching();
      for (const tone of tones) tone.stop();
    }
  }

  /** Who hears that the new party rings: the other one of two. A conference goes on meanwhile. */
  #waiting(leg: Leg, { isPair, members }: Conference): Leg[] {
    if (!isPair) return [];
    return members.flatMap(({ connectionId }) =>
      connectionId === leg.id ? [] : (this.#options.calls.leg(connectionId) ?? []),
    );
  }

  /**
   * The party has two calls with us and puts their others together: in the first conversation, the one of the REFER,
   * unless only the second one is open to others by its name.
   */
  async #attended(
    first: { leg: Leg; conference: Conference },
    consulting: Leg,
    referral: SipReferral,
  ): Promise<void> {
    const consulted = this.#options.calls.conferenceOf(consulting.id);
    const oneAccount = first.leg.connection.accountId === consulting.connection.accountId;
    if (consulting === first.leg || consulted === undefined || !oneAccount)
      return referral.reject(603, 'Not In A Conversation');
    const second = { leg: consulting, conference: consulted };
    referral.accept();
    try {
      if (consulted === first.conference) consulted.stepOut(consulting.id);
      else if (first.conference.isPair && !consulted.isPair) bringTogether(first, second);
      else bringTogether(second, first);
    } catch (error) {
      await referral.finish(statusOf(error));
      throw error;
    }
    await referral.finish(200);
    consulting.hangUp('transferred');
    first.leg.hangUp('transferred');
  }
}

interface Place {
  leg: Leg;
  conference: Conference;
}

/** @throws CallreelError CONFLICT when nobody is there to be moved, or it can not be done; everyone stays then */
function bringTogether(from: Place, to: Place): void {
  const others = from.conference.members.filter(({ connectionId }) => connectionId !== from.leg.id);
  if (others.length === 0) throw new CallreelError('CONFLICT', 'nobody is left to be transferred');
  if (from.conference.worker !== to.conference.worker || to.conference.closed)
    throw new CallreelError('CONFLICT', 'the two conversations can not be brought together');
  const arrived = [from, to].map(({ conference }) => conference.expect());
  for (const { conference, leg } of [from, to]) conference.stepOut(leg.id);
  for (const { connectionId } of others) from.conference.move(connectionId, to.conference);
  for (const done of arrived) done();
}

/** Who takes a place is recorded as the one before was to be; keys of that one's document are not for it. */
function inPlaceOf({ policy }: JoinOptions): JoinOptions {
  return { policy, leaveKey: undefined, eventCallback: undefined };
}

function statusOf(error: unknown): number {
  if (error instanceof DialFailure) return statusByReason[error.reason] ?? 503;
  return error instanceof CallreelError ? (statusByCode[error.code] ?? 503) : 500;
}
