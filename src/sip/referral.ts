import type { Timer } from '../clock.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import type { ReferDialog } from './refer-dialog.ts';
import type { ReferTarget } from './refer-to.ts';
import type { SipAddress, SipHeader, SipReferral, SipReplaces } from './session.ts';
import { sipfrag } from './sipfrag.ts';
import type { ServerTransaction } from './transaction-layer.ts';

export type ReferralState = 'asked' | 'active' | 'silent' | 'terminated';
export type ReferralEvent =
  | 'accept'
  | 'accept-silently'
  | 'reject'
  | 'progress'
  | 'final'
  | 'expired'
  | 'notify-refused'
  | 'dialog-ended';

/** The notifier's side of the subscription that a REFER makes: RFC 3515, RFC 4488, RFC 6665. */
export const referralTable: TransitionTable<ReferralState, ReferralEvent> = {
  asked: {
    accept: 'active', // 3515 2.4.2: 202; 2.4.4: a NOTIFY at once
    'accept-silently': 'silent', // 4488 4: 2xx with Refer-Sub: false, no subscription
    reject: 'terminated', // 3515 2.4.2
    'dialog-ended': 'terminated', // 3261 15.1.2: 487 to what is pending
  },
  active: {
    progress: 'active', // 3515 2.4.5
    final: 'terminated', // 3515 2.4.5 and 2.4.7: Subscription-State terminated, noresource
    expired: 'terminated', // 6665 4.2.2: terminated, timeout
    'notify-refused': 'terminated', // 6665 4.2.2: 481 and the like end the subscription
    'dialog-ended': 'terminated', // 5057 4.2 lets it outlive the call; nobody listens any more
  },
  silent: {
    progress: 'silent', // 4488 4: not told
    final: 'terminated', // 4488 4: not told
    'dialog-ended': 'terminated', // 4488 4: not told
  },
  terminated: {},
};

interface Notice {
  readonly state: string;
  readonly status: number;
  readonly reason: string | undefined;
  sent?(): void;
}

const subscriptionSeconds = 180;
/** Progress waits for the NOTIFY before it; of what waits only the newest is told. */
const maxWaiting = 2;

/** A REFER of the peer, from its arrival to the last NOTIFY about what came of it. */
export class Referral implements SipReferral {
  readonly target: SipAddress;
  readonly replaces: SipReplaces | undefined;
  readonly referredBy: string | undefined;
  readonly #dialog: ReferDialog;
  readonly #transaction: ServerTransaction;
  readonly #wantsNotices: boolean;
  readonly #closed: () => void;
  readonly #waiting: Notice[] = [];
  #sending = false;
  #expiry: Timer | undefined;
  #last: { status: number; reason: string | undefined } = { status: 100, reason: undefined };
  #state: ReferralState = 'asked';

  /** @param closed nothing follows any more; the next REFER may come */
  constructor(dialog: ReferDialog, transaction: ServerTransaction, asked: ReferTarget, closed: () => void) {
    this.target = asked.target;
    this.replaces = asked.replaces;
    this.referredBy = asked.referredBy;
    this.#wantsNotices = asked.wantsNotices;
    this.#dialog = dialog;
    this.#transaction = transaction;
    this.#closed = closed;
  }

  get state(): ReferralState {
    return this.#state;
  }

  accept(): void {
    if (this.#state !== 'asked') return;
    if (!this.#wantsNotices) {
      this.#move('accept-silently');
      this.#respond(202, [{ name: 'Refer-Sub', value: 'false' }]);
      return;
    }
    this.#move('accept');
    this.#respond(202);
    this.#expiry = this.#dialog.clock.after(subscriptionSeconds * 1000, () => {
      this.#notify('terminated;reason=timeout', this.#last);
      this.#end('expired');
    });
    this.#notify(`active;expires=${subscriptionSeconds}`, this.#last);
  }

  reject(status: number, reason?: string): void {
    if (this.#state !== 'asked') return;
    this.#respond(status, [], reason);
    this.#end('reject');
  }

  progress(status: number, reason?: string): void {
    if (status >= 200 || (this.#state !== 'active' && this.#state !== 'silent')) return;
    this.#move('progress');
    this.#last = { status, reason };
    if (this.#state === 'active') this.#notify(`active;expires=${subscriptionSeconds}`, this.#last);
  }

  async finish(status: number, reason?: string): Promise<void> {
    if (status < 200 || (this.#state !== 'active' && this.#state !== 'silent')) return;
    const told = this.#state === 'active';
    this.#end('final');
    if (!told) return;
    await new Promise<void>((sent) => this.#notify('terminated;reason=noresource', { status, reason }, sent));
  }

  /** The call is over; whoever waits for a NOTIFY to be answered waits no longer. */
  dialogEnded(): void {
    if (this.#state === 'asked') this.#respond(487);
    if (this.#state !== 'terminated') this.#end('dialog-ended');
    for (const notice of this.#waiting.splice(0)) notice.sent?.();
  }

  #respond(status: number, headers: SipHeader[] = [], reason?: string): void {
    this.#dialog.respond(this.#transaction, status, { headers, reason });
  }

  #notify(state: string, { status, reason }: Pick<Notice, 'status' | 'reason'>, sent?: () => void): void {
    const notice: Notice = { state, status, reason, sent };
    // The last of those that wait is newer than what it replaces, unless that one has to be heard.
    if (this.#waiting.length >= maxWaiting && this.#waiting.at(-1)?.sent === undefined) this.#waiting.pop();
    this.#waiting.push(notice);
    if (!this.#sending) this.#sendNext();
  }

  /** One at a time: two on their way could change places (RFC 3261 section 12.2.2 refuses the older one). */
  #sendNext(): void {
    const notice = this.#waiting.shift();
    this.#sending = notice !== undefined;
    if (notice === undefined) return;
    const headers = [
      { name: 'Event', value: this.#event },
      { name: 'Subscription-State', value: notice.state },
    ];
    this.#dialog.send('NOTIFY', { headers, body: sipfrag(notice) }, (response) => {
      notice.sent?.();
      if ((response === undefined || response.status >= 300) && this.#state === 'active')
        this.#end('notify-refused');
      this.#sendNext();
    });
  }

  /** RFC 3515 section 2.4.6: the REFER that is spoken of, by its CSeq. */
  get #event(): string {
    return `refer;id=${this.#transaction.request.cseq.sequence}`;
  }

  #end(event: ReferralEvent): void {
    this.#expiry?.cancel();
    this.#move(event);
    this.#closed();
  }

  #move(event: ReferralEvent): void {
    this.#state = nextState('referral', referralTable, this.#state, event) ?? this.#state;
  }
}
