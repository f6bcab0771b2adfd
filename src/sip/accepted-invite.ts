import type { Timer } from '../clock.ts';
import type { SipRequest } from './message.ts';
import type { OutgoingResponse } from './serializer.ts';
import { patienceMs, Repeater } from './timers.ts';
import type { TransactionContext } from './transaction.ts';
import type { InviteServerTransaction } from './transaction-invite-server.ts';

export interface AcceptedInviteUser {
  /** Without the ACK where a later request showed that the 2xx arrived. */
  acknowledged(ack: SipRequest | undefined): void;
  /** No ACK within 64*T1. */
  timedOut(): void;
}

/** A 2xx of ours to an INVITE, repeated on every transport until its ACK comes (RFC 3261 section 13.3.1.4). */
export class AcceptedInvite {
  readonly #repeater: Repeater;
  readonly #timer: Timer;
  readonly #sequence: number;
  readonly #user: AcceptedInviteUser;

  constructor(
    context: TransactionContext,
    transaction: InviteServerTransaction,
    response: OutgoingResponse,
    user: AcceptedInviteUser,
  ) {
    const { clock, timers } = context;
    this.#user = user;
    this.#sequence = transaction.request.cseq.sequence;
    this.#repeater = new Repeater(clock);
    transaction.respond(response);
    this.#repeater.start(timers.t1Ms, timers.t2Ms, () => transaction.respond(response));
    this.#timer = clock.after(patienceMs(timers), () => {
      this.stop();
      user.timedOut();
    });
  }

  /** @returns whether the ACK was for this INVITE */
  acknowledge(ack: SipRequest): boolean {
    if (ack.cseq.sequence !== this.#sequence) return false;
    this.stop();
    this.#user.acknowledged(ack);
    return true;
  }

  /** RFC 5407 section 3.1.4: what the peer sent since shows that it has the 2xx; the ACK itself was lost. */
  implyAck(): void {
    this.stop();
    this.#user.acknowledged(undefined);
  }

  stop(): void {
    this.#repeater.cancel();
    this.#timer.cancel();
  }
}
