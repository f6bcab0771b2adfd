import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { SipRequest, SipResponse } from './message.ts';
import type { SipHeader } from './session.ts';
import {
  type AgreedTimer,
  afterTooBrief,
  agreedTimer,
  answerTimer,
  type SessionTimerPolicy,
  type TimerAnswer,
  type TimerRefusal,
  timerRequestHeaders,
} from './session-expires.ts';
import type { Modification } from './session-modification.ts';
import { SessionTimer, type SessionTimerUser } from './session-timer.ts';

export interface SessionRefreshUser {
  /** The peer's Allow names UPDATE. */
  allowsUpdate(): boolean;
  /** Sends a re-INVITE or UPDATE without a change. Its 2xx has come by `answered` when this resolves. */
  modify(modification: Modification): Promise<unknown>;
  expired(): void;
}

/** RFC 4028 section 7.3 asks for one more try after a 422; a proxy behind the one that sent it may ask for more. */
const maxRaises = 3;

/** The session timer of one session: what is said about it in each message, and the refreshes (RFC 4028). */
export class SessionRefresh implements SessionTimerUser {
  readonly #timer: SessionTimer;
  readonly #user: SessionRefreshUser;
  #policy: SessionTimerPolicy;
  #raises = 0;
  #updateRefused = false;

  constructor(clock: Clock, policy: SessionTimerPolicy, user: SessionRefreshUser) {
    this.#policy = policy;
    this.#user = user;
    this.#timer = new SessionTimer(clock, this);
  }

  /** What was agreed last; undefined where no timer runs. */
  get agreed(): AgreedTimer | undefined {
    return this.#timer.agreed;
  }

  /** For the first INVITE, a re-INVITE or an UPDATE of ours. */
  requestHeaders(): SipHeader[] {
    const { agreed } = this.#timer;
    if (agreed === undefined) return timerRequestHeaders(this.#policy);
    const { minSeconds } = this.#policy;
    return timerRequestHeaders(
      { minSeconds, expiresSeconds: agreed.seconds },
      agreed.weRefresh ? 'uac' : 'uas',
    );
  }

  /** What a request of the peer is answered with. */
  answer(request: SipRequest): TimerAnswer | TimerRefusal {
    return answerTimer(request, this.#policy, this.#timer.agreed?.weRefresh);
  }

  /** Our 2xx with `answer` is on its way. */
  agree(agreed: AgreedTimer): void {
    this.#timer.agree(agreed);
  }

  /** A 2xx to a request of ours. */
  answered(response: SipResponse): void {
    const before = this.#timer.agreed;
    const kept = before?.peerWatches === false ? before : undefined;
    this.#timer.agree(agreedTimer(response, this.#policy) ?? kept);
  }

  /** @returns whether the response is a 422 after which the request, with new headers, may succeed */
  raise(response: SipResponse): boolean {
    const raised = afterTooBrief(response, this.#policy);
    if (raised === undefined || this.#raises >= maxRaises) return false;
    this.#raises++;
    this.#policy = raised;
    return true;
  }

  stop(): void {
    this.#timer.stop();
  }

  /** The timer's word, as the next. */
  expired(): void {
    this.#user.expired();
  }

  refresh(): void {
    const byUpdate = this.#user.allowsUpdate() && !this.#updateRefused;
    this.#user.modify({ method: byUpdate ? 'UPDATE' : 'INVITE', sdp: undefined }).catch((error) => {
      const status = error instanceof CallreelError ? error.where : undefined;
      if (byUpdate && (status === '405' || status === '501')) {
        this.#updateRefused = true;
        this.refresh();
      } else this.#timer.notRefreshed();
    });
  }
}
