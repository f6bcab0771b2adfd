import type { Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { headerValue, type SipRequest, type SipResponse } from './message.ts';
import { parseParameters } from './parameters.ts';
import type { ReferDialog } from './refer-dialog.ts';
import { referHeaders } from './refer-to.ts';
import { parseDecimal } from './scan.ts';
import type { ReferOptions, ReferOutcome } from './session.ts';
import { readSipfrag, type StatusLine } from './sipfrag.ts';

export type ReferRequestState = 'sent' | 'accepted' | 'subscribed' | 'terminated';
export type ReferRequestEvent =
  | '2xx'
  | '2xx-silent'
  | '300-699'
  | 'notify'
  | 'notify-terminated'
  | 'timer-n'
  | 'expired'
  | 'dialog-ended';

/** The subscriber's side of the subscription that a REFER makes: RFC 3515, RFC 4488, RFC 6665 section 4.1. */
export const referRequestTable: TransitionTable<ReferRequestState, ReferRequestEvent> = {
  sent: {
    '2xx': 'accepted', // 3515 2.4.2, 6665 4.1.2.1
    '2xx-silent': 'terminated', // 4488 4: there is no subscription
    '300-699': 'terminated', // 6665 4.1.2.1
    notify: 'subscribed', // 6665 4.1.2.4: a NOTIFY may come before the 2xx
    'notify-terminated': 'terminated', // 6665 4.1.2.4
    'dialog-ended': 'terminated', // 5057 4.2 lets it outlive the call; nobody here listens any more
  },
  accepted: {
    notify: 'subscribed', // 6665 4.1.2.4
    'notify-terminated': 'terminated', // 6665 4.1.3
    'timer-n': 'terminated', // 6665 4.1.2.4: no NOTIFY within 64*T1
    'dialog-ended': 'terminated', // 5057 4.2 lets it outlive the call; nobody here listens any more
  },
  subscribed: {
    '2xx': 'subscribed', // 6665 4.1.2.4: the response after the NOTIFY
    '2xx-silent': 'subscribed', // 6665 4.1.2.4: the NOTIFY before said otherwise
    '300-699': 'terminated', // 6665 4.1.2.1
    notify: 'subscribed', // 3515 2.4.5
    'notify-terminated': 'terminated', // 3515 2.4.7, 6665 4.1.3
    expired: 'terminated', // 6665 4.1.3
    'dialog-ended': 'terminated', // 5057 4.2 lets it outlive the call; nobody here listens any more
  },
  terminated: {},
};

/** What the peer grants, this much is waited for. */
const maxSubscriptionSeconds = 300;

/** A REFER of ours: sent, accepted, and told about until the peer has no more to tell. */
export class ReferRequest {
  /** Settles with the last status that was told of. @throws CallreelError SIP_REFUSED, SIP_UNREACHABLE */
  readonly outcome: Promise<ReferOutcome>;
  readonly #settle: PromiseWithResolvers<ReferOutcome>;
  readonly #dialog: ReferDialog;
  readonly #options: ReferOptions;
  readonly #closed: () => void;
  #timer: Timer | undefined;
  #last: StatusLine | undefined;
  #sequence = 0;
  #state: ReferRequestState = 'sent';

  constructor(dialog: ReferDialog, target: string, options: ReferOptions, closed: () => void) {
    this.#dialog = dialog;
    this.#options = options;
    this.#closed = closed;
    this.#settle = Promise.withResolvers();
    this.outcome = this.#settle.promise;
    const headers = referHeaders(target, options);
    this.#sequence = dialog.send('REFER', { headers }, (response) => this.#answered(response));
  }

  get state(): ReferRequestState {
    return this.#state;
  }

  /** A NOTIFY of the event `refer`. @returns whether it is about this REFER */
  notified(request: SipRequest): boolean {
    if (this.#state === 'terminated' || !this.#concerns(headerValue(request, 'event') ?? '')) return false;
    const value = headerValue(request, 'subscription-state') ?? '';
    const semicolon = value.indexOf(';');
    const state = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
    const told = readSipfrag(request);
    if (told !== undefined) this.#last = told;
    if (state === 'terminated' || (told !== undefined && told.status >= 200)) {
      this.#end('notify-terminated');
      return true;
    }
    this.#move('notify');
    const seconds = semicolon < 0 ? undefined : parseParameters(value, semicolon)?.get('expires');
    const granted = parseDecimal(seconds ?? '', maxSubscriptionSeconds) ?? maxSubscriptionSeconds;
    this.#after(granted * 1000, 'expired');
    if (told !== undefined) this.#options.progress?.(told.status, told.reason);
    return true;
  }

  dialogEnded(): void {
    if (this.#state !== 'terminated') this.#end('dialog-ended');
  }

  /** RFC 3515 section 2.4.6: the id is the CSeq of the REFER; it may be left out for the first one. */
  #concerns(event: string): boolean {
    const semicolon = event.indexOf(';');
    const id = semicolon < 0 ? undefined : parseParameters(event, semicolon)?.get('id');
    return id === undefined || Number(id) >= this.#sequence;
  }

  #answered(response: SipResponse | undefined): void {
    if (this.#state === 'terminated') return;
    if (response === undefined || response.status >= 300) {
      this.#settle.reject(refusal(response));
      this.#end('300-699');
      return;
    }
    const silent = headerValue(response, 'refer-sub')?.trim().toLowerCase() === 'false';
    if (silent && this.#state === 'sent') {
      this.#end('2xx-silent');
      return;
    }
    this.#move(silent ? '2xx-silent' : '2xx');
    if (this.#state === 'accepted') this.#after(this.#dialog.patienceMs, 'timer-n');
  }

  #after(delayMs: number, event: 'timer-n' | 'expired'): void {
    this.#timer?.cancel();
    this.#timer = this.#dialog.clock.after(delayMs, () => this.#end(event));
  }

  #end(event: ReferRequestEvent): void {
    this.#timer?.cancel();
    this.#move(event);
    this.#settle.resolve({ status: this.#last?.status, reason: this.#last?.reason ?? '' });
    this.#closed();
  }

  #move(event: ReferRequestEvent): void {
    this.#state = nextState('refer-request', referRequestTable, this.#state, event) ?? this.#state;
  }
}

function refusal(response: SipResponse | undefined): CallreelError {
  if (response === undefined) return new CallreelError('SIP_UNREACHABLE', 'the REFER got no answer');
  const { status, reason } = response;
  return new CallreelError('SIP_REFUSED', `REFER was refused: ${status} ${reason}`, {
    where: String(status),
  });
}
