import type { Dialog } from './dialog.ts';
import type { ClientCredentials } from './digest-client.ts';
import { requestInDialog } from './in-dialog-request.ts';
import { numericEndpoint } from './locate.ts';
import type { SipResponse } from './message.ts';
import type { RequestDraft } from './serializer.ts';
import type { SessionContext } from './session-context.ts';
import { contactAddress, type Endpoint, type Flow } from './transport.ts';

/** A name server that says nothing for so long is not waited for: the peer is. */
const maxLocateMs = 1_000;
/** A call may outlive the proxy that its name led to at first. */
const locatedUs = 60_000_000;

interface Located {
  readonly uri: string;
  readonly flow: Flow | undefined;
  readonly untilUs: number;
}

/**
 * The way that the requests of a call's dialogs take: RFC 3261 section 12.2.1.1, except that an open connection of the
 * call and the way through a NAT are kept to. A name is looked up (RFC 3263) and what is to be sent waits for that;
 * where it leads nowhere, requests go back where the call came from or went to.
 */
export class DialogRoute {
  /** Of the INVITE: its connection is used, and its address when nothing better is known. */
  flow: Flow | undefined;
  /** The peer's Contact cannot be reached from here: its requests go where the INVITE came from or went to. */
  symmetric = false;
  credentials: ClientCredentials | undefined;
  readonly #context: SessionContext;
  #located: Located | undefined;
  /** What waits for a name to be looked up, in order. */
  #waiting: { readonly uri: string; readonly uses: ((flow: Flow | undefined) => void)[] } | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Sends a request inside the dialog; a challenge is answered where there are credentials. */
  send(draft: RequestDraft, dialog: Dialog, done: (response: SipResponse | undefined) => void): void {
    const { credentials } = this;
    const known = this.known(dialog);
    const contact = known === undefined ? '' : contactAddress(known);
    const way = (use: (flow: Flow | undefined) => void) => this.take(dialog, use);
    requestInDialog({ context: this.#context, credentials, dialog, contact, way }, draft, done);
  }

  /** The ACK of a 2xx. */
  acknowledge(ack: RequestDraft, dialog: Dialog): void {
    this.take(dialog, (flow) => {
      if (flow !== undefined) this.#context.sendAck(ack, flow);
    });
  }

  /** As far as it is known by now: for the Contact of a request that is being written. */
  known(dialog: Dialog): Flow | undefined {
    return this.#sure(dialog) ?? this.#fallback;
  }

  /** Calls `use` once the way is known, in the order of the calls; now, where nothing has to be looked up. */
  take(dialog: Dialog, use: (flow: Flow | undefined) => void): void {
    const uri = dialog.nextHop;
    if (this.#waiting?.uri === uri) {
      this.#waiting.uses.push(use);
      return;
    }
    const sure = this.#sure(dialog);
    if (sure !== undefined || this.#isKnown(uri)) use(sure ?? this.#fallback);
    else this.#locate(uri, use);
  }

  /** Undefined for a name that was not looked up, or leads nowhere. */
  #sure(dialog: Dialog): Flow | undefined {
    const { flow } = this;
    if (flow?.reliable && flow.open) return flow;
    if (flow !== undefined && this.symmetric && !dialog.routed) return this.#fallback;
    const uri = dialog.nextHop;
    const target = numericEndpoint(uri);
    if (target !== undefined) return this.#context.flowTo(asNamed(target, flow?.remote)) ?? this.#fallback;
    return this.#isKnown(uri) ? this.#located?.flow : undefined;
  }

  get #fallback(): Flow | undefined {
    return this.flow && this.#context.flowTo(this.flow.remote);
  }

  #isKnown(uri: string): boolean {
    const located = this.#located;
    if (located?.uri !== uri || this.#nowUs >= located.untilUs) return false;
    return located.flow === undefined || located.flow.open;
  }

  get #nowUs(): number {
    return this.#context.transactions.clock.monotonicUs();
  }

  #locate(uri: string, use: (flow: Flow | undefined) => void): void {
    const { log, locate, transactions } = this.#context;
    const waiting = { uri, uses: [use] };
    // Another name than the one before: who waits for that one goes by what is known.
    const overtaken = this.#waiting;
    this.#waiting = waiting;
    for (const each of overtaken?.uses ?? []) each(this.#fallback);
    const found = (flow: Flow | undefined) => {
      if (this.#waiting !== waiting) return;
      impatience.cancel();
      this.#waiting = undefined;
      this.#located = { uri, flow, untilUs: this.#nowUs + locatedUs };
      for (const each of waiting.uses) each(flow ?? this.#fallback);
    };
    const impatience = transactions.clock.after(maxLocateMs, () => found(undefined));
    locate(uri, { near: this.flow?.remote }).then(found, (error: unknown) => {
      log('debug', 'the next hop of a call is not found', { uri, error });
      found(undefined);
    });
  }
}

/** A connection to the same host is asked for the same name. */
function asNamed(target: Endpoint, former: Endpoint | undefined): Endpoint {
  if (target.transport !== 'tls' || former?.transport !== 'tls' || former.address !== target.address)
    return target;
  const { serverName, verify } = former;
  return { ...target, ...(serverName !== undefined && { serverName }), ...(verify === false && { verify }) };
}
