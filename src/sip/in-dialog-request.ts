import type { Timer } from '../clock.ts';
import type { ClientRequest } from './client-request.ts';
import { withContactOn } from './contact.ts';
import type { Dialog } from './dialog.ts';
import { answerChallenge, type ClientCredentials } from './digest-client.ts';
import type { SipResponse } from './message.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipHeader } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { patienceMs } from './timers.ts';
import type { Flow } from './transport.ts';

/** A re-INVITE that got a provisional response and nothing more is cancelled after this many times 64*T1. */
const inviteRounds = 2;

export interface InDialogRoute {
  readonly context: SessionContext;
  readonly dialog: Dialog;
  readonly credentials: ClientCredentials | undefined;
  /** Host, port and transport of our Contact as requests are written with it. */
  readonly contact: string;
  /** Calls `use` with the flow that requests of this dialog leave by, once that is known; in the order of the calls. */
  way(use: (flow: Flow | undefined) => void): void;
}

/**
 * Sends one request of ours inside a dialog and gives its final response: undefined where none came. A challenge is
 * answered once (RFC 3261 section 22), the 2xx to a re-INVITE refreshes the target and is acknowledged each time it
 * comes (section 13.2.2.4), a re-INVITE that never ends is cancelled (section 9.1).
 */
export function requestInDialog(
  route: InDialogRoute,
  draft: RequestDraft,
  done: (response: SipResponse | undefined) => void,
): void {
  new InDialogRequest(route, done).send(draft);
}

class InDialogRequest {
  readonly #route: InDialogRoute;
  readonly #done: (response: SipResponse | undefined) => void;
  #request: ClientRequest | undefined;
  #patience: Timer | undefined;
  #ack: RequestDraft | undefined;
  #finished = false;

  constructor(route: InDialogRoute, done: (response: SipResponse | undefined) => void) {
    this.#route = route;
    this.#done = done;
  }

  send(draft: RequestDraft): void {
    this.#route.way((flow) => {
      if (flow === undefined) this.#finish(undefined);
      else this.#sendBy(flow, draft);
    });
  }

  #sendBy(flow: Flow, draft: RequestDraft): void {
    const { context, contact } = this.#route;
    this.#request = context.request(withContactOn(draft, contact, flow), flow, {
      response: (response) => this.#receive(response, draft),
      failed: () => this.#finish(undefined),
    });
    const { clock, timers } = context.transactions;
    this.#patience?.cancel();
    if (draft.method === 'INVITE')
      this.#patience = clock.after(inviteRounds * patienceMs(timers), () => this.#cancel());
  }

  #receive(response: SipResponse, draft: RequestDraft): void {
    if (response.status < 200) return;
    const { dialog, credentials } = this.#route;
    if (draft.method === 'INVITE' && response.status < 300) {
      this.#acknowledge(response, draft);
      return;
    }
    const answer = answerChallenge(response, draft, credentials);
    const already = draft.headers.some(({ name }) => name === answer?.name);
    if (answer === undefined || already) {
      this.#finish(response);
      return;
    }
    const kept = draft.headers.filter(({ name }) => !dialogHeaders.has(name));
    this.send(dialog.draft(draft.method, { headers: [...kept, answer], body: draft.body }));
  }

  #acknowledge(response: SipResponse, draft: RequestDraft): void {
    const { dialog, context } = this.#route;
    if (this.#ack === undefined) {
      dialog.refreshTarget(response);
      const headers = authorizationOf(draft);
      this.#ack = dialog.draft('ACK', { sequence: response.cseq.sequence, headers });
    }
    const ack = this.#ack;
    this.#route.way((flow) => {
      if (flow !== undefined) context.sendAck(ack, flow);
    });
    this.#finish(response);
  }

  #cancel(): void {
    const request = this.#request;
    const { clock, timers } = this.#route.context.transactions;
    if (this.#finished || request === undefined) return;
    if (request.cancellable) request.cancel();
    this.#patience = clock.after(patienceMs(timers), () => {
      request.terminate();
      this.#finish(undefined);
    });
  }

  #finish(response: SipResponse | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#patience?.cancel();
    this.#done(response);
  }
}

/** What the dialog writes into every request by itself. */
const dialogHeaders = new Set(['Route', 'From', 'To', 'Call-ID', 'CSeq']);

/** RFC 3261 section 22.1: the ACK carries the credentials of its INVITE. */
export function authorizationOf(draft: RequestDraft): SipHeader[] {
  return draft.headers.filter(({ name }) => name === 'Authorization' || name === 'Proxy-Authorization');
}
