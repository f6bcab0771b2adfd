import type { ClientRequest } from './client-request.ts';
import type { RequestDraft } from './serializer.ts';
import type { ClientTransactionUser, TransactionContext } from './transaction.ts';
import type { Endpoint, Flow } from './transport.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields: Record<string, unknown>) => void;

/** What a session needs of its user agent. */
export interface SessionContext {
  readonly transactions: TransactionContext;
  readonly log: Log;
  /** Contact header value for requests and responses on this flow. */
  contact(flow: Flow): string;
  request(draft: RequestDraft, flow: Flow, user: ClientTransactionUser): ClientRequest;
  sendAck(draft: RequestDraft, flow: Flow): void;
  flowTo(remote: Endpoint): Flow | undefined;
  /** The session expects nothing more and leaves the table of dialogs. */
  release(session: { readonly localTag: string }): void;
}
