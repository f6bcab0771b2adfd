import { allowedMethods, allowHeader, capabilityHeaders } from './capabilities.ts';
import type { Dialog } from './dialog.ts';
import { bodyText, headerValue, type SipRequest } from './message.ts';
import type { ResponseOptions } from './serializer.ts';
import type { SipSession } from './session.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/** The call, as the requests of its peer see it. */
export interface InDialogServer {
  state(): SipSession['state'];
  respond(transaction: ServerTransaction, status: number, options?: ResponseOptions): void;
  learn(request: SipRequest): void;
  ended(reason: string | undefined): void;
  offered(transaction: ServerTransaction, dialog: Dialog): void;
  pracked(transaction: ServerTransaction, dialog: Dialog): void;
  info(contentType: string, body: string): void;
  referred(transaction: ServerTransaction): void;
  notified(transaction: ServerTransaction): void;
}

/** Gives a request to the part of the call that it is for (RFC 3261 section 12.2.2); its method was checked before. */
export function serveInDialog(server: InDialogServer, transaction: ServerTransaction, dialog: Dialog): void {
  const { request } = transaction;
  if (server.state() === 'ended' && request.method !== 'BYE') {
    server.respond(transaction, 481);
    return;
  }
  if (!dialog.inOrder(request)) {
    server.respond(transaction, 500, { reason: 'CSeq Out Of Order' });
    return;
  }
  server.learn(request);
  switch (request.method) {
    case 'BYE':
      server.respond(transaction, 200);
      server.ended(headerValue(request, 'reason'));
      return;
    case 'INVITE':
    case 'UPDATE':
      server.offered(transaction, dialog);
      return;
    case 'PRACK':
      server.pracked(transaction, dialog);
      return;
    case 'INFO':
      server.respond(transaction, 200);
      server.info(headerValue(request, 'content-type') ?? '', bodyText(request));
      return;
    case 'REFER':
      server.referred(transaction);
      return;
    case 'NOTIFY':
      server.notified(transaction);
      return;
    case 'OPTIONS':
      server.respond(transaction, 200, { headers: capabilityHeaders(allowedMethods) });
      return;
    default:
      server.respond(transaction, 405, { headers: [allowHeader(allowedMethods)] });
      return;
  }
}
