import type { ClientRequest } from './client-request.ts';
import type { RequestDraft } from './serializer.ts';
import type { SessionTimerPolicy } from './session-expires.ts';
import type { ClientTransactionUser, TransactionContext } from './transaction.ts';
import type { Endpoint, Flow } from './transport.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields: Record<string, unknown>) => void;

export interface LocateHints {
  /** Who was spoken to already: asked first where the name leads to it too, and with as much proof. */
  near?: Endpoint | undefined;
}

/** What a session needs of its user agent. */
export interface SessionContext {
  readonly transactions: TransactionContext;
  readonly log: Log;
  readonly sessionTimer: SessionTimerPolicy;
  /** Contact header value for requests and responses on this flow. */
  contact(flow: Flow): string;
  request(draft: RequestDraft, flow: Flow, user: ClientTransactionUser): ClientRequest;
  sendAck(draft: RequestDraft, flow: Flow): void;
  flowTo(remote: Endpoint): Flow | undefined;
  /**
   * Where requests to a URI go, names and all (RFC 3263). The flow may have several targets; it moves on by itself.
   * @throws CallreelError SIP_HOST_UNKNOWN, SIP_UNREACHABLE, REQUEST_INVALID
   */
  locate(uri: string, hints?: LocateHints): Promise<Flow>;
  /** The session expects nothing more and leaves the table of dialogs. */
  release(session: { readonly localTag: string }): void;
}
