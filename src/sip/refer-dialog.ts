import type { Clock } from '../clock.ts';
import type { Dialog } from './dialog.ts';
import type { SipResponse } from './message.ts';
import type { RequestDraft, ResponseOptions, SipBody } from './serializer.ts';
import type { SipHeader, SipReferral } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { patienceMs } from './timers.ts';
import type { ServerTransaction } from './transaction-layer.ts';
import type { Flow } from './transport.ts';

/** What a REFER and the notices about it need of the call they belong to. */
export interface ReferDialog {
  readonly clock: Clock;
  /** 64*T1. */
  readonly patienceMs: number;
  respond(transaction: ServerTransaction, status: number, options?: ResponseOptions): void;
  /** Sends a request inside the dialog. @returns its CSeq number */
  send(
    method: string,
    options: { headers: readonly SipHeader[]; body?: SipBody },
    done: (response: SipResponse | undefined) => void,
  ): number;
  /** Tells call control. @returns whether it takes referrals */
  referred(referral: SipReferral): boolean;
}

/** The call, as its REFERs see it. */
export interface ReferSession {
  readonly context: SessionContext;
  dialog(): Dialog | undefined;
  route(dialog: Dialog): Flow | undefined;
  respond(transaction: ServerTransaction, status: number, options?: ResponseOptions): void;
  send(draft: RequestDraft, dialog: Dialog, done: (response: SipResponse | undefined) => void): void;
  referred(referral: SipReferral): boolean;
}

export function referDialog(session: ReferSession): ReferDialog {
  const { context } = session;
  const contact = (flow: Flow) => ({ name: 'Contact', value: context.contact(flow) });
  return {
    clock: context.transactions.clock,
    patienceMs: patienceMs(context.transactions.timers),
    respond: (transaction, status, { headers = [], ...options } = {}) =>
      session.respond(transaction, status, { ...options, headers: [contact(transaction.flow), ...headers] }),
    send: (method, { headers, body }, done) => {
      const dialog = session.dialog();
      const flow = dialog && session.route(dialog);
      if (dialog === undefined || flow === undefined) {
        done(undefined);
        return 0;
      }
      const draft = dialog.draft(method, { headers: [contact(flow), ...headers], body });
      session.send(draft, dialog, done);
      return sequenceOf(draft);
    },
    referred: (referral) => session.referred(referral),
  };
}

function sequenceOf({ headers }: RequestDraft): number {
  return Number.parseInt(headers.find(({ name }) => name === 'CSeq')?.value ?? '', 10);
}
