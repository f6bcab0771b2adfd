import { Dialog } from './dialog.ts';
import type { SipResponse } from './message.ts';
import { tagOf } from './name-address.ts';
import { ProvisionalOrder } from './reliable-provisional.ts';
import type { RequestDraft } from './serializer.ts';

/** One of the dialogs that an INVITE made on its way to several places. */
export interface Fork {
  readonly dialog: Dialog;
  /** Of its reliable provisional answers (RFC 3262). */
  readonly order: ProvisionalOrder;
  /** The session description of its provisional answers. */
  earlyAnswer: string | undefined;
  /** Sent again for every copy of its 2xx. */
  ack: RequestDraft | undefined;
}

const maxEarly = 8;
/** A 2xx has to be acknowledged and hung up; so many at most. */
const maxAnswered = 32;

/** Dialogs of one INVITE by the peer's tag (RFC 3261 section 13.2.2.4). */
export class Forks {
  readonly #forks = new Map<string, Fork>();

  get(tag: string): Fork | undefined {
    return this.#forks.get(tag);
  }

  /** @returns undefined for one too many, which is not heard until it answers */
  early(draft: RequestDraft, response: SipResponse): Fork | undefined {
    return this.#find(draft, response, maxEarly);
  }

  /** The dialog of a 2xx, in force as that says. @returns undefined for one too many */
  answered(draft: RequestDraft, response: SipResponse): Fork | undefined {
    const fork = this.#find(draft, response, maxAnswered);
    fork?.dialog.confirm(response);
    return fork;
  }

  /** The INVITE was refused: what it made is gone. */
  clear(): void {
    this.#forks.clear();
  }

  #find(draft: RequestDraft, response: SipResponse, limit: number): Fork | undefined {
    const tag = tagOf(response.to) ?? '';
    const known = this.#forks.get(tag);
    if (known !== undefined || this.#forks.size >= limit) return known;
    const dialog = Dialog.forClient(draft, response);
    const fork: Fork = { dialog, order: new ProvisionalOrder(), earlyAnswer: undefined, ack: undefined };
    this.#forks.set(tag, fork);
    return fork;
  }
}
