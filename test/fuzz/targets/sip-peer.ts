import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, Socket as TcpSocket } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { Secret } from '../../../src/secret.ts';
import { answerChallenge } from '../../../src/sip/digest-client.ts';
import { parseMessage } from '../../../src/sip/parser.ts';

const barrierTryMs = 300;
const barrierTries = 60;

export const alice = { username: 'alice', password: new Secret('wonderland') };

/** A peer of one user agent on the loopback: sends texts, and knows what was said last, to fill it in. */
export class SipPeer {
  readonly #socket: Socket;
  readonly #uaPort: number;
  readonly #tcpPort: number;
  #tcp: TcpSocket | undefined;
  #fields = new Map<string, string>();
  /** Of the conversation, and of what was sent in it. */
  #number = 0;
  #branches = 0;
  #awaited: { branch: string; arrived(): void } | undefined;
  /** Datagrams of the user agent since `begin`. */
  heard = 0;

  private constructor(socket: Socket, ports: { udp: number; tcp: number }) {
    this.#socket = socket;
    this.#uaPort = ports.udp;
    this.#tcpPort = ports.tcp;
    socket.on('message', (bytes) => this.#hear(bytes.toString('latin1')));
  }

  static async open(ports: { udp: number; tcp: number }): Promise<SipPeer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SipPeer(socket, ports);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** A new conversation. */
  begin(): void {
    this.#number++;
    this.#branches = 0;
    this.heard = 0;
    const number = String(this.#number);
    this.#fields = new Map([
      ['port', String(this.port)],
      ['ua', String(this.#uaPort)],
      ['call', `call-${number}`],
      ['first', `${number}-1`],
    ]);
  }

  /** What stands in braces replaced by what is known. */
  filled(text: string): string {
    const fields = this.#fields;
    return text.replace(/\{(\w{1,13})\}/g, (whole, name: string) =>
      name === 'branch' ? this.#nextBranch() : (fields.get(name) ?? whole),
    );
  }

  #nextBranch(): string {
    return `${this.#number}-${++this.#branches}`;
  }

  datagram(text: string): Promise<void> {
    const bytes = Buffer.from(text, 'latin1').subarray(0, 65_000);
    return new Promise((resolve) => this.#socket.send(bytes, this.#uaPort, '127.0.0.1', () => resolve()));
  }

  async stream(text: string): Promise<void> {
    if (this.#tcp === undefined) {
      const tcp = connectAsPeer(this.#tcpPort);
      tcp.on('error', () => {});
      tcp.on('data', () => {});
      await Promise.race([once(tcp, 'connect'), once(tcp, 'close')]);
      this.#tcp = tcp;
    }
    if (this.#tcp.writable) this.#tcp.write(Buffer.from(text, 'latin1'));
  }

  /** Gives up the TCP connection. */
  hangUp(): void {
    this.#tcp?.destroy();
    this.#tcp = undefined;
  }

  /**
   * Waits until everything sent before has been taken, and shows that the user agent is alive: asks for OPTIONS.
   * @throws Error without an answer
   */
  async barrier(): Promise<void> {
    const branch = `z9hG4bKbarrier${this.#number}x${++this.#branches}`;
    const text = [
      `OPTIONS sip:127.0.0.1:${this.#uaPort} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=${branch}`,
      'From: <sip:barrier@127.0.0.1>;tag=b',
      'To: <sip:127.0.0.1>',
      `Call-ID: ${branch}`,
      'CSeq: 1 OPTIONS\r\n\r\n',
    ].join('\r\n');
    for (let tries = 0; tries < barrierTries; tries++) {
      const arrived = new Promise<boolean>((resolve) => {
        this.#awaited = { branch, arrived: () => resolve(true) };
        systemClock.after(barrierTryMs, () => resolve(false));
      });
      await this.datagram(text);
      if (await arrived) return;
    }
    throw new Error('OPTIONS are no longer answered');
  }

  close(): void {
    this.hangUp();
    this.#socket.close();
  }

  /** `{authorization}`: what would be right for a REGISTER. */
  #authenticate(text: string): void {
    const response = parseMessage(Buffer.from(text, 'latin1'));
    if (!response.ok || response.message.kind !== 'response') return;
    const request = { method: 'REGISTER', uri: `sip:answer@127.0.0.1:${this.#uaPort}` };
    const answer = answerChallenge(response.message, request, alice);
    if (answer) this.#fields.set('authorization', answer.value);
  }

  #hear(text: string): void {
    const head = text.split('\r\n\r\n', 1)[0] ?? '';
    if (this.#awaited && head.includes(this.#awaited.branch)) {
      this.#awaited.arrived();
      this.#awaited = undefined;
      return;
    }
    this.heard++;
    const field = (name: string) => new RegExp(`^${name}: ([^\\r]*)`, 'm').exec(head)?.[1];
    const isRequest = !head.startsWith('SIP/2.0');
    for (const [name, key] of isRequest ? requestFields : responseFields) {
      const value = field(key);
      if (value !== undefined) this.#fields.set(name, value);
    }
    const tag = /;tag=([^;\r]*)/.exec(field(isRequest ? 'From' : 'To') ?? '')?.[1];
    if (tag !== undefined) this.#fields.set('tag', tag);
    if (head.startsWith('SIP/2.0 401')) this.#authenticate(text);
  }
}

const requestFields = [
  ['via', 'Via'],
  ['from', 'From'],
  ['to', 'To'],
  ['callid', 'Call-ID'],
  ['cseq', 'CSeq'],
] as const;
const responseFields = [['rseq', 'RSeq']] as const;

let isPeer = false;

function connectAsPeer(port: number): TcpSocket {
  isPeer = true;
  try {
    return connect(port, '127.0.0.1');
  } finally {
    isPeer = false;
  }
}

/** From here on only peers connect: the user agent may be told any address of this machine and of others. */
export function refuseConnections(): void {
  const original = TcpSocket.prototype.connect;
  TcpSocket.prototype.connect = function (this: TcpSocket, ...values: unknown[]) {
    if (isPeer) return Reflect.apply(original, this, values);
    process.nextTick(() => this.destroy(new Error('only peers connect here')));
    return this;
  } as typeof original;
}
