import { randomBytes } from 'node:crypto';
import { sleep, systemClock } from '../../src/clock.ts';
import type { SipSession } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { refusedInvite } from './refused-invite.ts';

/** Where media of a leg goes to. */
export interface LegMedia {
  port: number;
  /** Master key and salt of SRTP, AES_CM_128_HMAC_SHA1_80, by which whoever is there sends; undefined: RTP. */
  key?: Buffer | undefined;
}

/** Of both parties of a call, or of the server's two legs: the caller's and the called party's. */
export interface CallMedia {
  caller: LegMedia;
  called: LegMedia;
}

interface Call {
  caller: SipSession;
  /** Resolves when both legs have ended. */
  over: Promise<unknown>;
}

/** A call whose called party is not reached yet. */
interface WaitingCall {
  index: number;
  answer(session: SipSession): void;
}

/** A call that was refused, or ended instead of being answered. */
export class CallRefused extends Error {
  readonly status: number | undefined;
  /** What a 503 said in Retry-After; undefined: nothing. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status?: number, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const host = '127.0.0.1';
/** Nothing is sent from it. */
const idlePort = 9;
const answerTimeoutMs = 20_000;
/** As long as SIP repeats a BYE (RFC 3261, 64*T1), and a little. */
const endTimeoutMs = 40_000;
const masterKeyBytes = 30;

/**
 * Callers and called parties by SIP alone: their media is somebody else's. Each call goes to a number of its own, and
 * the server calls `sip:<index>@<this>` for it. Who is dialled is in the Request-URI; To has a number that no other call
 * has (`numberOf`), as of a call that was diverted, and the server shows that one to the called party as its caller. So
 * an INVITE that comes late, of a call that was given up, is not taken for the next one of its index.
 */
export class TwoPartySignalling implements AsyncDisposable {
  /** Whoever calls, and sends nothing. */
  answersEverybody = false;
  readonly #agent: UserAgent;
  /** By the number in To. */
  readonly #waiting = new Map<string, WaitingCall>();
  /** INVITEs of no call that waits for its called party; they are declined. */
  strayInvites = 0;
  #placed = 0;
  readonly #calls = new Map<number, Call>();
  /** By Call-ID, until the call has ended. */
  readonly #retryAfterSeconds = new Map<string, number>();

  private constructor() {
    this.#agent = new UserAgent({
      clock: systemClock,
      log: () => undefined,
      listen: [{ transport: 'udp', host, port: 0 }],
      product: 'Callreel bench',
      // A session says by which status it ended, and no header.
      tap: (direction, bytes) => {
        const refused = direction === 'received' ? refusedInvite(bytes) : undefined;
        if (refused?.retryAfterSeconds !== undefined)
          this.#retryAfterSeconds.set(refused.callId, refused.retryAfterSeconds);
      },
      onInvite: (session) => this.#invited(session),
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
   * @param from user part of the caller
   * @returns where the server wants the media of each
   * @throws CallRefused where it is not answered
   */
  async call(index: number, uri: string, media: CallMedia, from = callerOf(index)): Promise<CallMedia> {
    const number = numberOf(this.#placed++);
    const caller = this.#invite(index, uri, media.caller, from, number);
    const called = this.#awaitCalled(index, number, media.called, caller.over);
    const patience = systemClock.after(answerTimeoutMs, () =>
      caller.session.end(`no answer for ${answerTimeoutMs} ms`),
    );
    try {
      const [callerLeg, calledLeg] = await Promise.all([caller.answered, called.established]);
      this.#calls.set(index, {
        caller: caller.session,
        over: Promise.all([caller.over, calledLeg.over]),
      });
      return { caller: callerLeg, called: calledLeg.media };
    } catch (error) {
      called.giveUp();
      throw error;
    } finally {
      patience.cancel();
    }
  }

  /**
   * One call that the server answers by itself.
   * @returns where it wants the media
   * @throws CallRefused where it is not answered
   */
  async join(index: number, uri: string, media: LegMedia): Promise<LegMedia> {
    const { session, answered, over } = this.#invite(index, uri, media, callerOf(index));
    const leg = await answered;
    this.#calls.set(index, { caller: session, over });
    return leg;
  }

  /** BYE of the caller of one call. @throws CallRefused where the called party is not hung up */
  async hangUpCall(index: number): Promise<void> {
    const call = this.#calls.get(index);
    if (!call) return;
    this.#calls.delete(index);
    call.caller.end();
    const late = Promise.withResolvers<void>();
    const patience = systemClock.after(endTimeoutMs, () =>
      late.reject(new CallRefused(`the called party of call ${index} was not hung up`)),
    );
    await Promise.race([call.over, late.promise]).finally(() => patience.cancel());
  }

  /** BYE of every caller, so many a second. */
  async hangUp(perSecond: number): Promise<void> {
    const over: Promise<unknown>[] = [];
    for (const index of [...this.#calls.keys()]) {
      over.push(this.hangUpCall(index));
      await sleep(systemClock, 1000 / perSecond);
    }
    await Promise.all(over);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }

  #invited(session: SipSession): void {
    session.handlers = { ended: () => undefined };
    const number = session.from.user;
    const waiting = this.#waiting.get(number);
    if (waiting?.index === Number(session.to.user)) {
      this.#waiting.delete(number);
      waiting.answer(session);
    } else if (this.answersEverybody) session.accept(describeMedia({ port: idlePort }));
    else {
      this.strayInvites++;
      session.reject({ status: 603 });
    }
  }

  /** @param number that To has; without it the one that is dialled */
  #invite(index: number, uri: string, media: LegMedia, from: string, number?: string) {
    const answered = Promise.withResolvers<LegMedia>();
    const over = Promise.withResolvers<void>();
    // Whoever waits for it may have given up before.
    answered.promise.catch(() => undefined);
    const session = this.#agent.invite({
      requestUri: uri,
      from: `<sip:${from}@${host}>`,
      ...(number !== undefined && { to: `sip:${number}@${host}` }),
      offer: describeMedia(media),
      transport: 'udp',
      handlers: {
        answered: (sdp) => answered.resolve(mediaOf(sdp)),
        ended: ({ cause, status, reason }) => {
          const what = [cause, status, reason].filter((each) => each !== undefined).join(' ');
          const retryAfterSeconds = this.#retryAfterSeconds.get(session.callId);
          this.#retryAfterSeconds.delete(session.callId);
          answered.reject(
            new CallRefused(`call ${index} of ${from} ended: ${what}`, status, retryAfterSeconds),
          );
          over.resolve();
        },
      },
    });
    return { session, answered: answered.promise, over: over.promise };
  }

  /** @param callerOver when this call of the caller has ended */
  #awaitCalled(index: number, number: string, media: LegMedia, callerOver: Promise<void>) {
    const established = Promise.withResolvers<{ media: LegMedia; over: Promise<void> }>();
    // Whoever waits for it may have given up before.
    established.promise.catch(() => undefined);
    const over = Promise.withResolvers<void>();
    void callerOver.then(() => established.reject(new CallRefused(`call ${index} was not answered`)));
    let session: SipSession | undefined;
    const answer = (invited: SipSession): void => {
      session = invited;
      session.handlers = {
        established: () => established.resolve({ media: mediaOf(invited.offer ?? ''), over: over.promise }),
        ended: () => over.resolve(),
      };
      session.accept(describeMedia(media));
    };
    this.#waiting.set(number, { index, answer });
    const giveUp = (): void => {
      this.#waiting.delete(number);
      session?.end('given up');
    };
    return { established: established.promise, giveUp };
  }
}

/** Who calls, as the API shows it. */
export function callerOf(index: number): string {
  return `+1555${String(index).padStart(7, '0')}`;
}

/** Number of the n-th call that is placed, one that nobody calls from. */
function numberOf(placed: number): string {
  return `+1666${String(placed).padStart(7, '0')}`;
}

/** A key of one's own. */
export function randomMasterKey(): Buffer {
  return randomBytes(masterKeyBytes);
}

/** G.711 mu-law in packets of 20 ms, and keys by RFC 4733: what phones offer (RFC 8866); SRTP by RFC 4568. */
export function describeMedia({ port, key }: LegMedia): string {
  const lines = [
    'v=0',
    `o=- ${port} 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} ${key ? 'RTP/SAVP' : 'RTP/AVP'} 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    ...(key ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key.toString('base64')}`] : []),
    'a=sendrecv',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** @throws Error where the description has no audio */
export function mediaOf(sdp: string): LegMedia {
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0);
  if (port === 0) throw new Error(`no audio in ${JSON.stringify(sdp)}`);
  const [, key] = /^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)/m.exec(sdp) ?? [];
  return { port, ...(key !== undefined && { key: Buffer.from(key, 'base64') }) };
}
