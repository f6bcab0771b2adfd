import assert from 'node:assert/strict';
import { FakeClock } from '../../../src/clock.ts';
import { MediaNegotiator } from '../../../src/sdp/media-negotiator.ts';
import { Secret } from '../../../src/secret.ts';
import { DigestServer } from '../../../src/sip/digest-server.ts';
import { MemoryLocationStore } from '../../../src/sip/location-store.ts';
import type { NameResolver } from '../../../src/sip/name-resolver.ts';
import { Registrar } from '../../../src/sip/registrar.ts';
import type { SipSession, SipSessionHandlers } from '../../../src/sip/session.ts';
import { UserAgent } from '../../../src/sip/user-agent.ts';
import { throwOnUnlistedTransitions } from '../../../src/state-machine.ts';
import type { FuzzTarget } from '../target.ts';
import { alice, refuseConnections, SipPeer } from './sip-peer.ts';
import { userAgentSeeds, userAgentWords } from './user-agent-seeds.ts';

const maxSteps = 24;
const longestWaitMs = 200_000;
/** Everything SIP waits for is over by then, session timers apart. */
const settleMs = 8000;
const settleRounds = 60;

/** A whole user agent on real sockets and a clock of our own; what is left over after each conversation is a fault. */
export async function createTarget(): Promise<FuzzTarget> {
  throwOnUnlistedTransitions();
  refuseConnections();
  let bench = await Bench.open();
  return {
    isText: true,
    maxBytes: 10_000,
    dictionary: userAgentWords,
    seeds: () => userAgentSeeds,
    async run(input) {
      try {
        await bench.converse(Buffer.from(input).toString('latin1'));
      } catch (error) {
        // What was left over must not be held against the next input.
        bench.abandon();
        bench = await Bench.open();
        throw error;
      }
    },
    close: () => bench.close(),
  };
}

const unexpected = ['uncaughtException', 'unhandledRejection'] as const;

const nobody: NameResolver = {
  naptr: async () => [],
  srv: async () => [],
  addresses: async () => [],
};

class Bench {
  readonly #clock = new FakeClock();
  readonly #faults: Error[] = [];
  readonly #sessions = new Set<SipSession>();
  readonly #userAgent: UserAgent;
  #peer!: SipPeer;
  #began = 0;
  #ended = 0;
  /**
   * What was asked of single sessions, redirections followed among it. Where a call was redirected to ourselves both of
   * its ends are ours: a transfer is then a REFER and three NOTIFYs, each with its client and its server transaction.
   */
  #asked = 0;

  private constructor() {
    const digest = new DigestServer({
      clock: this.#clock,
      realm: 'fuzz',
      password: (name) => (name === alice.username ? alice.password : undefined),
    });
    const any = { host: '127.0.0.1', port: 0 };
    this.#userAgent = new UserAgent({
      clock: this.#clock,
      log: (level, message, { error }) => {
        if (level === 'error') this.#faults.push(error instanceof Error ? error : new Error(message));
      },
      listen: [
        { transport: 'udp', ...any },
        { transport: 'tcp', ...any },
      ],
      product: 'fuzz',
      resolver: nobody,
      registrar: new Registrar({ clock: this.#clock, digest, store: new MemoryLocationStore() }),
      onInvite: (session) => this.#ring(session),
    });
    for (const event of unexpected) process.on(event, this.#unexpected);
  }

  readonly #unexpected = (error: Error): void => void this.#faults.push(error);

  #stopListening(): void {
    for (const event of unexpected) process.off(event, this.#unexpected);
  }

  static async open(): Promise<Bench> {
    const bench = new Bench();
    await bench.#userAgent.start();
    const portOf = (name: string) =>
      bench.#userAgent.listening.find(({ transport }) => transport === name)?.port ?? 0;
    bench.#peer = await SipPeer.open({ udp: portOf('udp'), tcp: portOf('tcp') });
    return bench;
  }

  async converse(script: string): Promise<void> {
    const steps = script.split('\x1e').slice(0, maxSteps);
    this.#faults.length = 0;
    this.#began = this.#ended = this.#asked = 0;
    this.#peer.begin();
    for (const step of steps) {
      await this.#step(step);
      await turn();
    }
    await this.#peer.barrier();
    const { sessions, transactions } = this.#userAgent.stats();
    assert.ok(sessions <= 2 * steps.length, 'a message opens one session at most');
    assert.ok(
      transactions <= 6 * steps.length + 8 * this.#asked + 2,
      'transactions are bounded by messages, and by what was asked of sessions',
    );
    assert.ok(this.#peer.heard <= 40 * steps.length, 'answers are bounded by messages');
    await this.#settle();
    const [fault] = this.#faults;
    if (fault !== undefined) throw fault;
    assert.equal(this.#ended, this.#began, 'every call ends once');
  }

  abandon(): void {
    this.#stopListening();
    this.close().catch(() => {});
  }

  async close(): Promise<void> {
    this.#stopListening();
    let isClosed = false;
    const closed = this.#userAgent.close().finally(() => {
      isClosed = true;
    });
    // What it waits for begins a turn later.
    for (let round = 0; round < settleRounds && !isClosed; round++) {
      this.#clock.advanceMs(settleMs);
      await turn();
    }
    await closed;
    this.#peer.close();
  }

  async #step(step: string): Promise<void> {
    const rest = step.slice(1);
    const sessions = [...this.#sessions];
    if (/^[HPFE]/.test(step)) this.#asked += sessions.length;
    switch (step[0]) {
      case 'U':
        return this.#peer.datagram(this.#peer.filled(rest));
      case 'T':
        return this.#peer.stream(this.#peer.filled(rest));
      case 'A':
        return this.#wait(Number.parseInt(rest, 10) || 0);
      case 'C':
        return this.#call();
      case 'K':
        return this.#register();
      case 'H':
        for (const session of sessions) session.reoffer?.(offer()).catch(() => {});
        return;
      case 'P':
        for (const session of sessions) session.probe?.().catch(() => {});
        return;
      case 'F':
        for (const session of sessions) session.refer?.('sip:carol@127.0.0.1').catch(() => {});
        return;
      case 'E':
        for (const session of sessions) session.end('enough');
    }
  }

  /** Never backwards: what was due, and what a source may ask, would stay away for as long. */
  async #wait(ms: number): Promise<void> {
    const partMs = Math.min(Math.max(ms, 0), longestWaitMs) / 4;
    // In parts, so that what is sent in between is heard.
    for (let part = 0; part < 4; part++) {
      this.#clock.advanceMs(partMs);
      await turn();
    }
  }

  #call(): void {
    let session: SipSession | undefined;
    this.#began++;
    session = this.#userAgent.invite({
      requestUri: `sip:bob@127.0.0.1:${this.#peer.port}`,
      from: 'sip:us@127.0.0.1',
      offer: offer(),
      credentials: { username: 'us', password: new Secret('x') },
      redirect: () => ++this.#asked > 0,
      handlers: this.#handlers(() => session),
    });
    this.#sessions.add(session);
  }

  #register(): void {
    const options = {
      registrar: `sip:127.0.0.1:${this.#peer.port}`,
      aor: 'sip:us@127.0.0.1',
      credentials: { username: 'us', password: new Secret('x') },
      contactUser: 'us',
      expiresSeconds: 60,
    };
    this.#userAgent.register(options).catch(() => {});
  }

  #ring(session: SipSession): void {
    this.#began++;
    this.#sessions.add(session);
    session.handlers = this.#handlers(() => session);
    const user = session.to.user;
    if (user.startsWith('ring')) session.provisional(180);
    else if (user.startsWith('early')) {
      session.provisional(183, answerTo(session.offer));
      this.#clock.after(600, () => accept(session));
    } else if (user.startsWith('reject')) session.reject({ status: 486 });
    else accept(session);
  }

  #handlers(session: () => SipSession | undefined): SipSessionHandlers {
    return {
      reoffered: (sdp) => answerTo(sdp) ?? { status: 488 },
      offerRefused: () => offer().replace('RTP/AVP', 'RTP/SAVP'),
      referred: (referral) => {
        referral.accept();
        referral.progress(180);
        void referral.finish(200);
      },
      ended: () => {
        this.#ended++;
        const ended = session();
        if (ended) this.#sessions.delete(ended);
      },
    };
  }

  /** Ends what is left; then nothing may be. */
  async #settle(): Promise<void> {
    for (const session of [...this.#sessions]) session.end('settling');
    this.#peer.hangUp();
    for (let round = 0; round < settleRounds && this.#isBusy(); round++) {
      this.#clock.advanceMs(settleMs);
      await turn();
    }
    const left = Object.entries(this.#userAgent.stats()).filter(([, count]) => count > 0);
    assert.ok(left.length === 0, `left over: ${left.map(([name]) => name)}`);
  }

  #isBusy(): boolean {
    const { sessions, transactions, connections } = this.#userAgent.stats();
    return sessions + transactions + connections > 0;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

const local = {
  address: '127.0.0.1',
  port: 4000,
  codecs: ['PCMU'] as const,
  telephoneEvents: true,
  sessionId: '1',
};

function offer(): string {
  return new MediaNegotiator(local).offer();
}

function answerTo(sdp: string | undefined): string | undefined {
  try {
    return sdp === undefined ? offer() : new MediaNegotiator(local).answer(sdp).answer;
  } catch {
    return undefined;
  }
}

function accept(session: SipSession): void {
  const answer = answerTo(session.offer);
  if (answer === undefined) session.reject({ status: 488 });
  else session.accept(answer);
}
