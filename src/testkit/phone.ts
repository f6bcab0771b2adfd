import { sleep, systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { makeSelfSigned } from '../sip/self-signed.ts';
import type { SipAddress, SipEnd, SipHeader, SipSession } from '../sip/session.ts';
import { standardSessionTimer } from '../sip/session-expires.ts';
import type { TransportName } from '../sip/transport.ts';
import type { TlsOptions } from '../sip/transport-tls.ts';
import { formatHost } from '../sip/uri.ts';
import { UserAgent } from '../sip/user-agent.ts';
import { CallFailedError } from './call-failed-error.ts';
import { mediaHandlers, PhoneCall } from './phone-call.ts';
import type { PhoneMediaOptions } from './phone-media.ts';
import { PhoneMediaSession } from './phone-media.ts';

export interface PhoneOptions {
  host?: string;
  /** User part of its address: an E.164 number, say. */
  number: string;
  displayName?: string;
  transport?: TransportName;
  /** Of the server that is called over TLS: its authority, PEM. */
  ca?: string | undefined;
  /** Whether that server must prove who it is; without `ca`, by the public authorities. False unless `ca` is given. */
  verify?: boolean;
  clock?: typeof systemClock;
  /** Session-Expires of its calls (RFC 4028); the usual one where it is not set. */
  sessionExpiresSeconds?: number;
}

export interface CallOptions extends PhoneMediaOptions {
  /** Sent with the INVITE. */
  headers?: readonly SipHeader[];
  /** An INVITE without an offer: the peer's comes with its 200, our answer goes with the ACK. */
  lateOffer?: boolean;
  /** Where to send the INVITE, whatever the URI says. */
  nextHop?: { address: string; port: number };
  /** After this without an answer the call is cancelled. */
  answerTimeoutMs?: number;
  /** The peer's provisional answers. */
  onProgress?: (status: number) => void;
}

export interface AnswerOptions extends PhoneMediaOptions {
  /** Spoken from just before the 200 is sent on. */
  atOnce?: Int16Array;
}

/** A ringing phone. */
export interface IncomingPhoneCall {
  readonly session: SipSession;
  readonly from: SipAddress;
  readonly to: SipAddress;
  /** 180. */
  ring(): void;
  /**
   * 183 with an answer: both sides can be heard before the call is answered; `answer` goes on with the same media.
   * @returns plays to the caller, as `PhoneCall.play`
   */
  early(options?: PhoneMediaOptions): Promise<(audio: Int16Array) => Promise<boolean>>;
  /** Resolves once the caller acknowledged. @throws CallFailedError when the caller gave up */
  answer(options?: AnswerOptions): Promise<PhoneCall>;
  /** Busy here, unless another status is given. */
  reject(status?: number, headers?: SipHeader[]): void;
}

type OptionalOption = 'displayName' | 'ca' | 'verify' | 'sessionExpiresSeconds';

const busyHere = 486;
const defaultAnswerTimeoutMs = 30_000;

/**
 * A telephone for tests: a real SIP user agent and, for each call, a real RTP socket. It calls, answers, plays,
 * presses keys, holds, hangs up, and keeps what it sent and what it heard.
 */
export class Phone {
  /** Answers calls; without it every call is refused as busy. Its failure refuses the call with 500. */
  onCall: ((call: IncomingPhoneCall) => unknown) | undefined;
  readonly #options: Required<Omit<PhoneOptions, OptionalOption>> & Pick<PhoneOptions, OptionalOption>;
  readonly #agent: UserAgent;

  private constructor(options: PhoneOptions) {
    this.#options = { host: '127.0.0.1', transport: 'udp', clock: systemClock, ...options };
    const { clock, transport, host } = this.#options;
    this.#agent = new UserAgent({
      clock,
      log: () => {},
      listen: [{ transport, host, port: 0 }],
      product: 'Callreel testkit',
      ...(options.sessionExpiresSeconds !== undefined && {
        sessionTimer: { ...standardSessionTimer, expiresSeconds: options.sessionExpiresSeconds },
      }),
      tls: transport === 'tls' ? phoneTls(host, options) : undefined,
      onInvite: (session) => this.#ring(session),
    });
  }

  static async create(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    await phone.#agent.start();
    return phone;
  }

  /** Where others call it. */
  get sipUri(): string {
    const [listening] = this.#agent.listening;
    const { number, host, transport } = this.#options;
    const parameters = transport === 'udp' ? '' : `;transport=${transport}`;
    return `sip:${number}@${formatHost(host)}:${listening?.port}${parameters}`;
  }

  /**
   * Places a call.
   * @returns the call once it was answered
   * @throws CallFailedError with the peer's status
   */
  async call(sipUri: string, options: CallOptions = {}): Promise<PhoneCall> {
    const { host, transport, clock } = this.#options;
    const media = await PhoneMediaSession.open(clock, host, options);
    const ended = Promise.withResolvers<SipEnd>();
    const answered = Promise.withResolvers<void>();
    const handlers = mediaHandlers(media, {
      progress: (status, sdp) => {
        if (sdp !== undefined) media.apply(sdp);
        options.onProgress?.(status);
      },
      answered: (sdp) => {
        try {
          media.apply(sdp);
          answered.resolve();
        } catch (error) {
          answered.reject(error);
        }
      },
      established: () => answered.resolve(),
      ended: (end) => {
        ended.resolve(end);
        answered.reject(new CallFailedError(sipUri, end));
      },
    });
    const { headers, nextHop, answerTimeoutMs = defaultAnswerTimeoutMs } = options;
    let session: SipSession | undefined;
    const patience = clock.after(answerTimeoutMs, () => session?.end('no answer'));
    try {
      const from = this.#from;
      const offer = options.lateOffer ? undefined : media.offer();
      session = this.#agent.invite({
        requestUri: sipUri,
        from,
        offer,
        transport,
        nextHop,
        headers,
        handlers,
      });
      await answered.promise;
      return new PhoneCall(session, media, ended.promise);
    } catch (error) {
      session?.end('the answer cannot be understood');
      media.close();
      throw error;
    } finally {
      patience.cancel();
    }
  }

  /**
   * Registers its address with a server, under its number as user name.
   * @throws CallreelError SIP_REFUSED, SIP_UNREACHABLE
   */
  async register(server: { host: string; port: number }, password: Secret): Promise<void> {
    const { number, transport } = this.#options;
    await this.#agent.register({
      registrar: `sip:${formatHost(server.host)}:${server.port}`,
      aor: `sip:${number}@${formatHost(server.host)}`,
      credentials: { username: number, password },
      expiresSeconds: 3600,
      contactUser: number,
      transport,
    });
  }

  /** Ends every call and closes the sockets. */
  close(): Promise<void> {
    return this.#agent.close();
  }

  get #from(): string {
    const { displayName, number, host } = this.#options;
    const uri = `<sip:${number}@${formatHost(host)}>`;
    return displayName === undefined ? uri : `"${displayName}" ${uri}`;
  }

  #ring(session: SipSession): void {
    const ended = Promise.withResolvers<SipEnd>();
    session.handlers = { ended: (end) => ended.resolve(end) };
    const early: { media?: PhoneMediaSession; answer?: string } = {};
    if (!this.onCall) {
      session.reject({ status: busyHere });
      return;
    }
    const incoming: IncomingPhoneCall = {
      session,
      from: session.from,
      to: session.to,
      ring: () => session.provisional(180),
      early: async (options = {}) => {
        const { clock, host } = this.#options;
        const media = await PhoneMediaSession.open(clock, host, options);
        void ended.promise.then(() => media.close());
        early.media = media;
        early.answer = media.answer(session.offer ?? '');
        session.provisional(183, early.answer);
        return (audio) => media.sender.play(audio);
      },
      answer: (options) => this.#answer(session, ended, early, options),
      reject: (status = busyHere, headers) => session.reject({ status, headers }),
    };
    const refuse = (error: unknown) => session.reject({ status: 500, reason: String(error) });
    Promise.resolve(incoming).then(this.onCall).catch(refuse);
  }

  async #answer(
    session: SipSession,
    ended: PromiseWithResolvers<SipEnd>,
    early: { media?: PhoneMediaSession; answer?: string },
    { atOnce, ...options }: AnswerOptions = {},
  ): Promise<PhoneCall> {
    const { clock, host } = this.#options;
    const media = early.media ?? (await PhoneMediaSession.open(clock, host, options));
    return new Promise((resolve, reject) => {
      const fail = (end: SipEnd) => reject(new CallFailedError(session.from.uri, end));
      void ended.promise.then((end) => {
        media.close();
        fail(end);
      });
      if (session.state === 'ended') return;
      session.handlers = mediaHandlers(media, {
        answered: (sdp) => media.apply(sdp),
        established: () => resolve(new PhoneCall(session, media, ended.promise)),
        ended: (end) => ended.resolve(end),
      });
      const refuse = (error: unknown) => session.reject({ status: 488, reason: (error as Error).message });
      try {
        const { offer } = session;
        const answer = early.answer ?? (offer === undefined ? media.offer() : media.answer(offer));
        const spoken = atOnce ? this.#beginsToSpeak(media, atOnce) : undefined;
        if (spoken) void spoken.then(() => session.accept(answer)).catch(refuse);
        else session.accept(answer);
      } catch (error) {
        refuse(error);
      }
    });
  }

  /** Settles when the first packet has left: timers of one length fire in their order. */
  #beginsToSpeak(media: PhoneMediaSession, samples: Int16Array): Promise<void> {
    void media.sender.play(samples);
    return sleep(this.#options.clock, 1);
  }
}

/** A phone that can be called shows a certificate too. */
function phoneTls(host: string, { ca, verify = ca !== undefined }: PhoneOptions): TlsOptions {
  const { cert, key } = makeSelfSigned([host], new Date(systemClock.unixMs()));
  return { identity: { cert, key: new Secret(key) }, ca, verify };
}
