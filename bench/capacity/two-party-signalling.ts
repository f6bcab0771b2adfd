import { sleep, systemClock } from '../../src/clock.ts';
import type { SipSession } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';

/** RTP ports of both parties of a call, or of the server's two legs: the caller's and the called party's. */
export interface PortPair {
  caller: number;
  called: number;
}

interface Call {
  caller: SipSession;
  /** Resolves when both legs have ended. */
  over: Promise<unknown>;
}

export const host = '127.0.0.1';
/** Nothing is sent from it. */
const idlePort = 9;
const answerTimeoutMs = 20_000;

/**
 * Callers and called parties by SIP alone: their media is somebody else's. Each call goes to a number of its own, and
 * the server calls `sip:<index>@<this>` for it.
 */
export class TwoPartySignalling implements AsyncDisposable {
  /** Whoever calls, and sends nothing. */
  answersEverybody = false;
  readonly #agent: UserAgent;
  readonly #ringing = new Map<number, (session: SipSession) => void>();
  readonly #calls: Call[] = [];

  private constructor() {
    this.#agent = new UserAgent({
      clock: systemClock,
      log: () => undefined,
      listen: [{ transport: 'udp', host, port: 0 }],
      product: 'Callreel bench',
      onInvite: (session) => {
        const answer = this.#ringing.get(Number(session.to.user));
        session.handlers = { ended: () => undefined };
        if (answer) answer(session);
        else if (this.answersEverybody) session.accept(describeMedia(idlePort));
        else session.reject({ status: 404 });
      },
    });
  }

  static async open(): Promise<TwoPartySignalling> {
    const signalling = new TwoPartySignalling();
    await signalling.#agent.start();
    return signalling;
  }

  /** Where a called party is. */
  calledUri(index: number): string {
    return `sip:${index}@${host}:${this.#agent.listening[0]?.port}`;
  }

  /**
   * One call from its INVITE to the second ACK.
   * @param uri of the number on the server
   * @returns where the server wants the media of each
   * @throws Error where it is not answered
   */
  async call(index: number, uri: string, ports: PortPair): Promise<PortPair> {
    const caller = this.#invite(index, uri, ports.caller);
    const called = this.#awaitCalled(index, ports.called);
    const [callerPort, calledLeg] = await Promise.race([
      Promise.all([caller.answered, called]),
      sleep(systemClock, answerTimeoutMs).then(() => {
        throw new Error(`call ${index} was not answered`);
      }),
    ]);
    this.#ringing.delete(index);
    this.#calls.push({
      caller: caller.session,
      over: Promise.all([caller.over, calledLeg.over]),
    });
    return { caller: callerPort, called: calledLeg.port };
  }

  /**
   * One call that the server answers by itself.
   * @returns where it wants the media
   * @throws Error where it is not answered
   */
  async join(index: number, uri: string, port: number): Promise<number> {
    const { session, answered, over } = this.#invite(index, uri, port);
    const serverPort = await answered;
    this.#calls.push({ caller: session, over });
    return serverPort;
  }

  /** BYE of every caller, so many a second. */
  async hangUp(perSecond: number): Promise<void> {
    const over: Promise<unknown>[] = [];
    for (const call of this.#calls.splice(0)) {
      call.caller.end();
      over.push(call.over);
      await sleep(systemClock, 1000 / perSecond);
    }
    await Promise.all(over);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }

  #invite(index: number, uri: string, port: number) {
    const answered = Promise.withResolvers<number>();
    const over = Promise.withResolvers<void>();
    const session = this.#agent.invite({
      requestUri: uri,
      from: `<sip:${callerOf(index)}@${host}>`,
      offer: describeMedia(port),
      transport: 'udp',
      handlers: {
        answered: (sdp) => answered.resolve(mediaPortOf(sdp)),
        ended: ({ cause, status }) => {
          answered.reject(new Error(`call ${index} ended: ${cause} ${status ?? ''}`));
          over.resolve();
        },
      },
    });
    return { session, answered: answered.promise, over: over.promise };
  }

  #awaitCalled(index: number, port: number) {
    return new Promise<{ port: number; over: Promise<void> }>((resolve) => {
      this.#ringing.set(index, (session) => {
        const over = Promise.withResolvers<void>();
        session.handlers = {
          established: () => resolve({ port: mediaPortOf(session.offer ?? ''), over: over.promise }),
          ended: () => over.resolve(),
        };
        session.accept(describeMedia(port));
      });
    });
  }
}

/** Who calls, as the API shows it. */
export function callerOf(index: number): string {
  return `+1555${String(index).padStart(7, '0')}`;
}

/** G.711 mu-law in packets of 20 ms, and keys by RFC 4733: what phones offer (RFC 8866). */
export function describeMedia(port: number): string {
  const lines = [
    'v=0',
    `o=- ${port} 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** @throws Error where the description has no audio */
export function mediaPortOf(sdp: string): number {
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0);
  if (port === 0) throw new Error(`no audio in ${JSON.stringify(sdp)}`);
  return port;
}
