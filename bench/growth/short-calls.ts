import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { sleep, systemClock } from '../../src/clock.ts';
import type { SipSession } from '../../src/sip/session.ts';
import { UserAgent } from '../../src/sip/user-agent.ts';
import { describeMedia, host, mediaOf } from '../capacity/two-party-signalling.ts';

const packetMs = 20;
const packetSamples = 160;
const rtpHeaderBytes = 12;
const maxSessions = 4000;
const callTimeoutMs = 20_000;

/**
 * Short calls, caller and called party: both say a few packets as soon as they may, then the caller hangs up. All parties
 * have one socket.
 */
export class ShortCalls implements AsyncDisposable {
  readonly #agent: UserAgent;
  readonly #socket: Socket;
  readonly #packets: number;
  /** That came back from the server. */
  received = 0;
  failed = 0;
  #nextSsrc = 1;

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

  /** Where called parties are. */
  get calledUri(): string {
    return `sip:called@${host}:${this.#agent.listening[0]?.port}`;
  }

  /** So many calls, some at once, to their ends. */
  async place(uri: string, calls: number, atOnce: number): Promise<void> {
    let left = calls;
    const oneByOne = async () => {
      while (left-- > 0) if (!(await this.#call(uri))) this.failed++;
    };
    await Promise.all(Array.from({ length: atOnce }, oneByOne));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
    this.#socket.close();
  }

  /** @returns whether it was answered, and ended by its caller */
  async #call(uri: string): Promise<boolean> {
    const over = Promise.withResolvers<boolean>();
    const timer = systemClock.after(callTimeoutMs, () => over.resolve(false));
    const session = this.#agent.invite({
      requestUri: uri,
      from: `<sip:+15550000000@${host}>`,
      offer: describeMedia({ port: this.#socket.address().port }),
      transport: 'udp',
      handlers: {
        answered: (sdp) => void this.#say(mediaOf(sdp).port).then(() => session.end()),
        ended: ({ cause }) => over.resolve(cause === 'local'),
      },
    });
    const ended = await over.promise;
    timer.cancel();
    return ended;
  }

  #answer(session: SipSession): void {
    session.handlers = {
      established: () => void this.#say(mediaOf(session.offer ?? '').port),
      ended: () => undefined,
    };
    session.accept(describeMedia({ port: this.#socket.address().port }));
  }

  async #say(port: number): Promise<void> {
    const packet = Buffer.alloc(rtpHeaderBytes + packetSamples, 0xff);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt32BE(this.#nextSsrc++, 8);
    for (let k = 0; k < this.#packets; k++) {
      packet.writeUInt16BE(k, 2);
      packet.writeUInt32BE(k * packetSamples, 4);
      // A word of noise: not silence, which nobody would keep.
      for (let i = rtpHeaderBytes; i < packet.length; i++) packet[i] = (i * 7919 * (k + 1)) & 0xff;
      this.#socket.send(Buffer.from(packet), port, host);
      await sleep(systemClock, packetMs);
    }
  }
}
