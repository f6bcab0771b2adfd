import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/clock.ts';
import {
  type CallMedia,
  describeMedia,
  host,
  type LegMedia,
  mediaOf,
} from '../capacity/two-party-signalling.ts';
import { type Bencoded, bdecode, bencode } from './bencode.ts';
import { countCaptured } from './captured-packets.ts';
import type { Peer } from './peer.ts';

/** As Debian has it. */
const program = '/usr/bin/rtpengine';
const startTimeoutMs = 20_000;
const answerTimeoutMs = 5000;
const pollMs = 100;

interface Command {
  readonly command: string;
  readonly [key: string]: Bencoded;
}

interface Answer {
  readonly result?: string;
  readonly sdp?: string;
}

/** rtpengine in user space, which relays calls and writes a pcap file of each; told by the `ng` protocol. */
export class Rtpengine implements Peer {
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #directory: string;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #commands = 0;
  #calls = 0;

  private constructor(process: ChildProcess, socket: Socket, port: number, directory: string) {
    this.#process = process;
    this.#socket = socket;
    this.#port = port;
    this.#directory = directory;
    socket.on('message', (bytes) => this.#answered(bytes));
  }

  /**
   * @param port on which it is told what to do
   * @param ports for media, `first-last`
   * @throws Error that says what to install, or what it said when it did not start
   */
  static async start(directory: string, port: number, ports: string): Promise<Rtpengine> {
    if (!existsSync(program))
      throw new Error(`there is no ${program}: apt-get install --no-install-recommends rtpengine-daemon`);
    const recordings = join(directory, 'rtpengine');
    await mkdir(recordings, { recursive: true });
    const [first, last] = ports.split('-');
    const args = [
      ...['--config-file=none', '--foreground', '--log-stderr', '--log-level=4', '--table=-1'],
      ...[`--interface=${host}`, `--listen-ng=${host}:${port}`, `--port-min=${first}`, `--port-max=${last}`],
      ...[`--recording-dir=${recordings}`, '--recording-method=pcap', '--delete-delay=0', '--timeout=36000'],
    ];
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const socket = createSocket('udp4');
    socket.bind(0, host);
    await once(socket, 'listening');
    const engine = new Rtpengine(child, socket, port, recordings);
    try {
      await engine.#started();
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #started(): Promise<void> {
    const untilUs = systemClock.monotonicUs() + startTimeoutMs * 1000;
    for (;;) {
      const { exitCode } = this.#process;
      if (exitCode !== null) throw new Error(`${program} ended with code ${exitCode}`);
      const isHere = await this.#command({ command: 'ping' }, pollMs).then(
        () => true,
        () => false,
      );
      if (isHere) return;
      if (systemClock.monotonicUs() > untilUs) throw new Error(`${program} does not answer`);
      await sleep(systemClock, pollMs);
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async connect(call: number, { caller, called }: CallMedia): Promise<CallMedia> {
    this.#calls = Math.max(this.#calls, call + 1);
    const common = {
      'call-id': String(call),
      'from-tag': 'caller',
      replace: ['origin'],
      'record call': 'on',
    };
    const offered = await this.#describe({ ...common, command: 'offer', sdp: describeMedia(caller) });
    const answer = { ...common, command: 'answer', 'to-tag': 'called', sdp: describeMedia(called) };
    return { caller: await this.#describe(answer), called: offered };
  }

  async end(): Promise<void> {
    for (let call = 0; call < this.#calls; call++)
      await this.#command({ command: 'delete', 'call-id': String(call), 'from-tag': 'caller' });
  }

  /** @throws as `countCaptured`, too */
  async notRecorded(sent: readonly number[]): Promise<number> {
    const directory = join(this.#directory, 'pcaps');
    const names = (await readdir(directory)).filter((name) => name.endsWith('.pcap'));
    if (names.length !== this.#calls)
      throw new Error(`rtpengine recorded ${names.length} of ${this.#calls} calls`);
    let missing = sent.reduce((sum, each) => sum + each, 0);
    for (const name of names) missing -= countCaptured(await readFile(join(directory, name)));
    return missing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  async #describe(command: Command): Promise<LegMedia> {
    const { sdp } = await this.#command(command);
    return mediaOf(sdp ?? '');
  }

  /** @throws Error where it says anything but yes, or nothing */
  async #command(command: Command, timeoutMs = answerTimeoutMs): Promise<Answer> {
    const cookie = `c${++this.#commands}`;
    const answered = Promise.withResolvers<Answer>();
    this.#waiting.set(cookie, answered.resolve);
    const patience = systemClock.after(timeoutMs, () =>
      answered.reject(new Error(`rtpengine did not answer ${command.command}`)),
    );
    this.#socket.send(`${cookie} ${bencode(command)}`, this.#port, host);
    try {
      const answer = await answered.promise;
      if (answer.result === 'ok' || answer.result === 'pong') return answer;
      throw new Error(`rtpengine answered ${command.command} by ${JSON.stringify(answer)}`);
    } finally {
      patience.cancel();
      this.#waiting.delete(cookie);
    }
  }

  #answered(bytes: Buffer): void {
    const space = bytes.indexOf(' ');
    const answer = bdecode(bytes.subarray(space + 1));
    this.#waiting.get(bytes.subarray(0, space).toString())?.(answer as Answer);
  }
}
