import { CallreelError } from '../errors.ts';
import { headerValue } from './message.ts';
import { type ReferDialog, type ReferSession, referDialog } from './refer-dialog.ts';
import { ReferRequest } from './refer-request.ts';
import { readRefer } from './refer-to.ts';
import { Referral } from './referral.ts';
import type { ReferOptions, ReferOutcome } from './session.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/** The REFERs of one call, in both directions, one of each at a time (RFC 3515). */
export class ReferUsage {
  readonly #dialog: ReferDialog;
  #incoming: Referral | undefined;
  #outgoing: ReferRequest | undefined;

  constructor(session: ReferSession) {
    this.#dialog = referDialog(session);
  }

  receiveRefer(transaction: ServerTransaction): void {
    if (this.#incoming !== undefined) {
      this.#dialog.respond(transaction, 491);
      return;
    }
    const asked = readRefer(transaction.request);
    if ('status' in asked) {
      this.#dialog.respond(transaction, asked.status);
      return;
    }
    const referral = new Referral(this.#dialog, transaction, asked, () => {
      if (this.#incoming === referral) this.#incoming = undefined;
    });
    this.#incoming = referral;
    if (!this.#dialog.referred(referral)) referral.reject(603);
  }

  receiveNotify(transaction: ServerTransaction): void {
    const { request } = transaction;
    const [event = ''] = (headerValue(request, 'event') ?? '').split(';');
    if (event.trim().toLowerCase() !== 'refer') {
      this.#dialog.respond(transaction, 489, { headers: [{ name: 'Allow-Events', value: 'refer' }] });
      return;
    }
    this.#dialog.respond(transaction, this.#outgoing?.notified(request) ? 200 : 481);
  }

  /** @throws CallreelError CONFLICT, SIP_REFUSED, SIP_UNREACHABLE */
  async refer(target: string, options: ReferOptions): Promise<ReferOutcome> {
    if (this.#outgoing !== undefined)
      throw new CallreelError('CONFLICT', 'another transfer of this call is under way');
    const request = new ReferRequest(this.#dialog, target, options, () => {
      this.#outgoing = undefined;
    });
    if (request.state !== 'terminated') this.#outgoing = request;
    return request.outcome;
  }

  /** The call is over. */
  close(): void {
    this.#incoming?.dialogEnded();
    this.#outgoing?.dialogEnded();
  }
}
