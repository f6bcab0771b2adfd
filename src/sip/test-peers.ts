import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after } from 'node:test';
import { systemClock } from '../clock.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { buildResponse } from './serializer.ts';
import type { SipEnd, SipSession, SipSessionHandlers } from './session.ts';
import type { SipTimers } from './timers.ts';
import { UserAgent, type UserAgentOptions } from './user-agent.ts';

/** For tests only: user agents and raw sockets on the loopback. */

/** A test that fails closes nothing; without this its file would never end. */
const opened = new Set<{ close(): unknown }>();
after(() => Promise.all([...opened].map((open) => open.close())));

/** For tests in which time-outs run out: the RFC's proportions at a tenth of its times. */
export const quickTimers: SipTimers = { t1Ms: 50, t2Ms: 400, t4Ms: 200 };

/** For all others: a machine that is busy repeats nothing, and gives nothing up; what is over goes at once. */
const patientTimers: SipTimers = { t1Ms: 5000, t2Ms: 5000, t4Ms: 200 };

export const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n';

export async function startUserAgent(options: Partial<UserAgentOptions> = {}): Promise<UserAgent> {
  const userAgent = new UserAgent({
    clock: systemClock,
    log: (level, message, fields) => {
      if (level === 'error') throw new Error(`${message}: ${String(fields.error)}`);
    },
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    product: 'test',
    timers: patientTimers,
    onInvite: (session) => session.reject({ status: 486 }),
    ...options,
  });
  await userAgent.start();
  opened.add(userAgent);
  return userAgent;
}

export function portOf(userAgent: UserAgent, transport: 'udp' | 'tcp'): number {
  return userAgent.listening.find((address) => address.transport === transport)?.port ?? 0;
}

/** Values that arrive one after another; `next` waits for the one that is due. */
export class Arrivals<Value> {
  readonly all: Value[] = [];
  #taken = 0;
  #waiting: (() => void) | undefined;

  add(value: Value): void {
    this.all.push(value);
    this.#waiting?.();
  }

  async next(): Promise<Value> {
    while (this.#taken >= this.all.length)
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    return this.all[this.#taken++] as Value;
  }

  async until(wanted: (value: Value) => boolean): Promise<Value> {
    for (;;) {
      const value = await this.next();
      if (wanted(value)) return value;
    }
  }
}

/** Handlers that write down what happened: `answered`, `established`, `ended local`, ... */
export function recordingHandlers(more: Partial<SipSessionHandlers> = {}): {
  handlers: SipSessionHandlers;
  events: Arrivals<string>;
  ends: SipEnd[];
} {
  const events = new Arrivals<string>();
  const ends: SipEnd[] = [];
  const handlers: SipSessionHandlers = {
    progress: (status, body) => events.add(`progress ${status}${body === undefined ? '' : ' sdp'}`),
    answered: () => events.add('answered'),
    established: () => events.add('established'),
    ...more,
    ended: (end) => {
      ends.push(end);
      events.add(`ended ${end.cause}`);
    },
  };
  return { handlers, events, ends };
}

/** A peer that speaks SIP by hand. */
export class RawPeer {
  readonly #socket: Socket;
  readonly #target: number;
  readonly received = new Arrivals<SipMessage>();
  readonly texts: string[] = [];
  lastSourcePort = 0;
  /** The last request sent, by method. */
  readonly #asked = new Map<string, { callId: string; sequence: number }>();

  private constructor(socket: Socket, target: number) {
    this.#socket = socket;
    this.#target = target;
    socket.on('message', (bytes, source) => {
      this.lastSourcePort = source.port;
      this.texts.push(bytes.toString());
      const result = parseMessage(bytes);
      if (result.ok) this.received.add(result.message);
    });
  }

  static async open(target: number): Promise<RawPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const peer = new RawPeer(socket, target);
    opened.add(peer);
    return peer;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(text: string, port = this.#target, host = '127.0.0.1'): void {
    const callId = /^Call-ID: *(.*?)\r?$/im.exec(text)?.[1];
    const cseq = /^CSeq: *(\d+) +(\S+)/im.exec(text);
    if (callId !== undefined && cseq !== null)
      this.#asked.set(cseq[2] ?? '', { callId, sequence: Number(cseq[1]) });
    this.#socket.send(text, port, host);
  }

  /** A request with the headers of a call; `extra` lines come last. */
  request(method: string, parts: Partial<RequestParts> = {}): void {
    this.send(requestText(method, this.port, parts));
  }

  /** The next response to the last request with this method; a final one unless `status` asks for another. */
  async response(
    method: string,
    status?: number,
    sequence = this.#asked.get(method)?.sequence,
  ): Promise<SipResponse> {
    const callId = this.#asked.get(method)?.callId;
    return (await this.received.until(
      (message) =>
        message.kind === 'response' &&
        message.cseq.method === method &&
        message.cseq.sequence === sequence &&
        message.callId === callId &&
        (status === undefined ? message.status >= 200 : message.status === status),
    )) as SipResponse;
  }

  async incoming(method: string): Promise<SipRequest> {
    return (await this.received.until(
      (message) => message.kind === 'request' && message.method === method,
    )) as SipRequest;
  }

  /** 200 to a request of the server, which waits for it before it stops; settles when it has left. */
  answer(request: SipRequest): Promise<void> {
    const { bytes } = buildResponse(request, 200);
    return new Promise((resolve) => this.#socket.send(bytes, this.#target, '127.0.0.1', () => resolve()));
  }

  close(): void {
    if (opened.delete(this)) this.#socket.close();
  }
}

export interface RequestParts {
  uri: string;
  branch: string;
  callId: string;
  sequence: number;
  fromTag: string;
  toTag: string;
  extra: readonly string[];
  body: string;
}

export function requestText(method: string, port: number, parts: Partial<RequestParts>): string {
  const { sequence = 1, callId = 'call-1', fromTag = 'from-1', toTag, body = '', extra = [] } = parts;
  const branch = parts.branch ?? `z9hG4bK-${method}-${sequence}-${callId}`;
  return [
    `${method} ${parts.uri ?? 'sip:callee@127.0.0.1'} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=${branch}`,
    `From: <sip:caller@127.0.0.1>;tag=${fromTag}`,
    `To: <sip:callee@127.0.0.1>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${sequence} ${method}`,
    `Contact: <sip:caller@127.0.0.1:${port}>`,
    ...extra,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** Accepts every call, keeping the sessions. */
export function acceptAll(
  events: Arrivals<SipSession>,
  handlers: SipSessionHandlers,
): (session: SipSession) => void {
  return (session) => {
    session.handlers = handlers;
    events.add(session);
    session.accept(sdp);
  };
}
