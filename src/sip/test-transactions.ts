import type { FakeClock } from '../clock.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { buildResponse, type OutgoingResponse, serializeRequest } from './serializer.ts';
import { requestText } from './test-peers.ts';
import { standardTimers } from './timers.ts';
import type { ClientTransactionUser, SentRequest, TransactionContext } from './transaction.ts';
import { type Flow, viaFor } from './transport.ts';

/** For tests only: what stands around a single transaction. */

export class RecordingFlow implements Flow {
  readonly transport;
  readonly remote;
  readonly reliable: boolean;
  readonly local = { host: '192.0.2.1', port: 5060 };
  readonly open = true;
  readonly packets: string[] = [];
  #failed: ((error: Error) => void) | undefined;

  constructor(reliable: boolean) {
    this.reliable = reliable;
    this.transport = reliable ? ('tcp' as const) : ('udp' as const);
    this.remote = { transport: this.transport, address: '192.0.2.2', port: 5060 };
  }

  send(bytes: Uint8Array, failed?: (error: Error) => void): void {
    this.packets.push(Buffer.from(bytes).toString());
    this.#failed = failed;
  }

  /** Reports the last send as failed. */
  fail(): void {
    this.#failed?.(new Error('connection lost'));
  }
}

function contextOn(clock: FakeClock): { context: TransactionContext; ended: string[] } {
  const ended: string[] = [];
  const terminated = ({ key }: { key: string }) => void ended.push(key);
  return { context: { clock, timers: standardTimers, terminated }, ended };
}

export function clientHarness(clock: FakeClock, method: string, reliable: boolean) {
  const flow = new RecordingFlow(reliable);
  const branch = 'z9hG4bK-test';
  const via = viaFor(flow, branch);
  const draft = {
    method,
    uri: 'sip:callee@example.com',
    headers: [
      { name: 'Route', value: '<sip:proxy.example.com;lr>' },
      { name: 'From', value: '<sip:caller@example.com>;tag=us' },
      { name: 'To', value: '<sip:callee@example.com>' },
      { name: 'Call-ID', value: 'call-1' },
      { name: 'CSeq', value: `7 ${method}` },
      { name: 'Contact', value: '<sip:192.0.2.1>' },
      { name: 'Subject', value: 'test' },
    ],
  };
  const sent: SentRequest = { draft, via, branch, flow, bytes: serializeRequest(draft, via) };
  const heard: (number | string)[] = [];
  const user: ClientTransactionUser = {
    response: ({ status }) => heard.push(status),
    failed: (cause) => heard.push(cause),
  };
  return { ...contextOn(clock), flow, sent, user, heard };
}

export function responseTo(sent: SentRequest, status: number): SipResponse {
  const request = parseMessage(sent.bytes);
  if (!request.ok || request.message.kind !== 'request') throw new Error('not a request');
  const response = parseMessage(buildResponse(request.message, status, { toTag: 'peer' }).bytes);
  if (!response.ok || response.message.kind !== 'response') throw new Error('not a response');
  return response.message;
}

export function receivedRequest(method: string): SipRequest {
  const result = parseMessage(Buffer.from(requestText(method, 5060, {})));
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a request');
  return result.message;
}

export function serverHarness(clock: FakeClock, method: string, reliable: boolean) {
  const flow = new RecordingFlow(reliable);
  const request = receivedRequest(method);
  const send = (bytes: Buffer, failed: () => void) => flow.send(bytes, failed);
  const response = (status: number): OutgoingResponse => buildResponse(request, status, { toTag: 'us' });
  return { ...contextOn(clock), flow, request, keys: { key: 'key', mergeKey: undefined }, send, response };
}
