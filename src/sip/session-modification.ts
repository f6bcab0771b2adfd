import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { headerValue, type SipResponse } from './message.ts';

export type ModificationState = 'idle' | 'waiting' | 'sent' | 'backing-off' | 'closed';
export type ModificationEvent =
  | 'ask'
  | 'clear'
  | 'succeeded'
  | 'glare'
  | 'retry-after'
  | 'refused'
  | 'timer'
  | 'close';

/** Our re-INVITEs and UPDATEs, one after the other (RFC 3261 section 14.1, RFC 3311 section 5.1). */
export const modificationTable: TransitionTable<ModificationState, ModificationEvent> = {
  idle: {
    ask: 'waiting', // 14.1: no second one while another is in progress
    close: 'closed', // 15
  },
  waiting: {
    clear: 'sent', // 14.1: no other INVITE is in progress in either direction; 3311 5.1: no other offer
    close: 'closed', // 15
  },
  sent: {
    succeeded: 'idle', // 14.1: the 2xx
    refused: 'idle', // 14.1: the session goes on as if nothing had been asked
    glare: 'backing-off', // 14.1: 491
    'retry-after': 'backing-off', // 14.2, 3311 5.2: 500 with Retry-After
    close: 'closed', // 12.2.1.2: 408, 481 or no answer end the dialog
  },
  'backing-off': {
    timer: 'waiting', // 14.1: tried once more, if still wanted
    close: 'closed', // 15
  },
  closed: {},
};

export interface Modification {
  readonly method: 'INVITE' | 'UPDATE';
  /** Our offer; undefined for a refresh that offers nothing. */
  readonly sdp: string | undefined;
}

export interface ModificationUser {
  readonly clock: Clock;
  /** 14.1: the UAC of the first INVITE waits longer, so that the two do not meet again. */
  ownsCallId(): boolean;
  isClear(modification: Modification): boolean;
  /** Sends it, and gives its final response: undefined where none came. */
  send(modification: Modification, done: (response: SipResponse | undefined) => void): void;
  /** The dialog is no more. */
  lost(status: number, reason: string): void;
}

interface Pending extends Modification {
  attempts: number;
  resolve(response: SipResponse): void;
  reject(error: CallreelError): void;
}

const maxAttempts = 6;
const maxPending = 16;
const maxRetryAfterSeconds = 30;

/**
 * Responses after which there is no dialog to go on with: RFC 5057 section 5.1, where 408 and 481 end the usage, here the
 * only one, and 483 asks for an end in good order; RFC 3261 section 12.2.1.2. Others that end a usage there (403, 405,
 * 480, 489, 501) were sent by a peer that does talk to us: the call goes on.
 */
const dialogEnding = new Set([404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604]);

/** @param status undefined: no response came, which counts as 408 */
export function endsDialog(status: number | undefined): boolean {
  return dialogEnding.has(status ?? 408);
}

export class SessionModification {
  readonly #user: ModificationUser;
  readonly #queue: Pending[] = [];
  #state: ModificationState = 'idle';
  #timer: Timer | undefined;

  constructor(user: ModificationUser) {
    this.#user = user;
  }

  get state(): ModificationState {
    return this.#state;
  }

  /** A re-INVITE of ours waits for its final response. */
  get inviting(): boolean {
    return this.#state === 'sent' && this.#queue[0]?.method === 'INVITE';
  }

  /**
   * Sends it when its turn has come and the rules allow it.
   * @returns the 2xx
   * @throws CallreelError SIP_REFUSED with the status in `where`; 481 where the session ended
   */
  request(modification: Modification): Promise<SipResponse> {
    if (this.#state === 'closed') return Promise.reject(refusal(481, 'the session has ended'));
    if (this.#queue.length >= maxPending) return Promise.reject(refusal(491, 'too many changes are waiting'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...modification, attempts: 0, resolve, reject });
      if (this.#state === 'idle') this.#next();
    });
  }

  /** Something that may have been in the way is over. */
  poke(): void {
    const [first] = this.#queue;
    if (this.#state !== 'waiting' || first === undefined || !this.#user.isClear(first)) return;
    this.#move('clear');
    first.attempts++;
    this.#user.send(first, (response) => this.#answered(first, response));
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#move('close');
    this.#timer?.cancel();
    for (const { reject } of this.#queue.splice(0)) reject(refusal(481, 'the session has ended'));
  }

  #next(): void {
    if (this.#queue.length === 0) return;
    this.#move('ask');
    this.poke();
  }

  #answered(pending: Pending, response: SipResponse | undefined): void {
    if (this.#state === 'closed') return;
    const status = response?.status ?? 408;
    if (response !== undefined && status < 300) {
      this.#settle('succeeded', () => pending.resolve(response));
      return;
    }
    if (endsDialog(response?.status)) {
      this.#user.lost(status, response?.reason ?? 'no answer inside the dialog');
      return;
    }
    const delayMs = pending.attempts < maxAttempts ? this.#backOffMs(response) : undefined;
    if (delayMs === undefined) {
      this.#settle('refused', () => pending.reject(refusal(status, response?.reason ?? '')));
      return;
    }
    this.#move(status === 491 ? 'glare' : 'retry-after');
    this.#timer = this.#user.clock.after(delayMs, () => {
      this.#move('timer');
      this.poke();
    });
  }

  /** The next one only after whoever asked has got the answer: it may want something else then. */
  #settle(event: 'succeeded' | 'refused', tell: () => void): void {
    this.#move(event);
    this.#queue.shift();
    tell();
    this.#next();
  }

  #backOffMs(response: SipResponse | undefined): number | undefined {
    if (response?.status === 491)
      return this.#user.ownsCallId() ? randomInt(210, 401) * 10 : randomInt(0, 201) * 10;
    const after =
      response === undefined ? null : /^\s*(\d{1,5})/.exec(headerValue(response, 'retry-after') ?? '');
    const busy = response?.status === 500 || response?.status === 503;
    if (!busy || after === null || Number(after[1]) > maxRetryAfterSeconds) return undefined;
    return Number(after[1]) * 1000;
  }

  #move(event: ModificationEvent): void {
    this.#state = nextState('session-modification', modificationTable, this.#state, event) ?? this.#state;
  }
}

function refusal(status: number, reason: string): CallreelError {
  return new CallreelError('SIP_REFUSED', `${status} ${reason}`.trim(), { where: String(status) });
}
