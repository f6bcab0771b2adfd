import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { sleep, systemClock } from '../../src/clock.ts';
import type { SipSession } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { callerOf, describeMedia, host, mediaOf } from '../capacity/two-party-signalling.ts';
import { packetSamples, wordsOf } from './words.ts';

const packetMs = 20;
const rtpHeaderBytes = 12;
const maxSessions = 4000;
const callTimeoutMs = 20_000;

/** Numbers of what the parties of a call say (`wordsOf`). */
export function partiesOf(call: number): [caller: number, called: number] {
  return [call * 2, call * 2 + 1];
}

/**
 * Short calls, caller and called party: once both are answered each says a few packets, then the caller hangs up. All
 * parties have one socket; each call has a caller of its own, and its parties words of their own.
 */
export class ShortCalls implements AsyncDisposable {
  readonly #agent: UserAgent;
  readonly #socket: Socket;
  readonly #packets: number;
  /** By line: where the server takes the media of the called party. */
  readonly #called = new Map<string, (port: number) => void>();
  /** That were placed. */
  placed = 0;
  /** Packets that came from the server. */
  received = 0;
  failed = 0;

  private constructor(socket: Socket, packets: number) {
    this.#socket = socket;
    this.#packets = packets;
    socket.on('message', () => void this.received++);
    this.#agent = new UserAgent({
      clock: systemClock,
      log: () => undefined,
      listen: [{ transport: 'udp', host, port: 0 }],
      product: 'Callreel bench',
      maxSessions,
      onInvite: (session) => this.#answer(session),
    });
  }

  /** @param packets that each party says in a call */
  static async open(packets: number): Promise<ShortCalls> {
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');
    const calls = new ShortCalls(socket, packets);
    await calls.#agent.start();
    return calls;
  }

  /** Where the called parties of a line are. */
  calledUri(line: number): string {
    return `sip:${line}@${host}:${this.#agent.listening[0]?.port}`;
  }

  /**
   * So many calls to their ends, one after another on each line.
   * @param lines URIs of numbers whose routine calls `calledUri` of the same line
   */
  async place(lines: readonly string[], calls: number): Promise<void> {
    const until = this.placed + calls;
    const oneByOne = async (uri: string, line: number) => {
      while (this.placed < until) if (!(await this.#call(uri, line, this.placed++))) this.failed++;
    };
    await Promise.all(lines.map(oneByOne));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
    this.#socket.close();
  }

  /** @returns whether both parties were answered and said all, and the caller ended it */
  async #call(uri: string, line: number, call: number): Promise<boolean> {
    const over = Promise.withResolvers<boolean>();
    const calledPort = Promise.withResolvers<number>();
    this.#called.set(String(line), calledPort.resolve);
    const session = this.#agent.invite({
      requestUri: uri,
      from: `<sip:${callerOf(call)}@${host}>`,
      offer: describeMedia({ port: this.#socket.address().port }),
      transport: 'udp',
      handlers: {
        answered: (sdp) => void this.#talk(call, mediaOf(sdp).port, calledPort.promise, session),
        ended: ({ cause }) => over.resolve(cause === 'local'),
      },
    });
    const timer = systemClock.after(callTimeoutMs, () => {
      over.resolve(false);
      session.end();
    });
    const ended = await over.promise;
    timer.cancel();
    this.#called.delete(String(line));
    return ended;
  }

  async #talk(call: number, port: number, calledPort: Promise<number>, session: SipSession): Promise<void> {
    const [caller, called] = partiesOf(call);
    const otherPort = await calledPort;
    await Promise.all([this.#say(caller, port), this.#say(called, otherPort)]);
    session.end();
  }

  #answer(session: SipSession): void {
    const answered = this.#called.get(session.to.user);
    session.handlers = {
      established: () => answered?.(mediaOf(session.offer ?? '').port),
      ended: () => undefined,
    };
    session.accept(describeMedia({ port: this.#socket.address().port }));
  }

  async #say(party: number, port: number): Promise<void> {
    for (let k = 0; k < this.#packets; k++) {
      const packet = Buffer.alloc(rtpHeaderBytes + packetSamples);
      packet.writeUInt16BE(0x8000, 0);
      packet.writeUInt16BE(k, 2);
      packet.writeUInt32BE(k * packetSamples, 4);
      packet.writeUInt32BE(party + 1, 8);
      packet.set(wordsOf(party, k), rtpHeaderBytes);
      this.#socket.send(packet, port, host);
      await sleep(systemClock, packetMs);
    }
  }
}
