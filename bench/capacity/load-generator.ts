import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HeardStream, readHeard } from './heard-stream.ts';
import { NativeProgram } from './native-program.ts';
import type { StreamAudio } from './stream-audio.ts';
import type { LegMedia } from './two-party-signalling.ts';

/** What was sent and received in a window of time. */
export interface LoadReport {
  planned: number;
  sent: number;
  /** By more than the length of a packet. */
  late: number;
  /** Refused by the system. */
  unsent: number;
  received: number;
  /** Of streams that should be another one's: not one of its packets. */
  wrong: number;
  missing: number;
  /** They came behind a later one, or twice. */
  reordered: number;
  /** Packets of silence that a stream received before the first of the other one's, while that one was sent, at most. */
  mostSilentBefore: number;
  latenessP99Us: number;
  latenessP999Us: number;
  latenessMaxUs: number;
}

/** Of one stream, and of what another one has sent to it since that began. */
export interface RelayedPackets {
  relayed: number;
  /** Of those from the first one on that came; where none did, of all. */
  notRelayed: number;
}

/** Of each stream, in all. */
export interface LoadTotals {
  sent: number[];
  received: number[];
  /** When its first packet was to be sent, by the monotonic clock; only of one that was begun once. */
  firstDueUs: number[];
  /** Of all streams that should be another one's: its packets that did not come, from the first one on that did. */
  notRelayed: number;
  /** Before that one, of one stream, at most. */
  notRelayedBefore: number;
}

const mostLate = 0.001;

/** Packets of a stream before the first that is relayed: 200 ms. A call is set up, not put through. */
export const mostBefore = 10;

/** The process that sends the streams and counts what comes back (`reference/load.c`). */
export class LoadGenerator implements AsyncDisposable {
  readonly #program: NativeProgram;
  /** Of each stream. */
  readonly ports: readonly number[];

  private constructor(program: NativeProgram, ports: readonly number[]) {
    this.#program = program;
    this.ports = ports;
  }

  /** @param directory where the audio is put for it */
  static async start(
    path: string,
    directory: string,
    audio: StreamAudio,
    streams: number,
  ): Promise<LoadGenerator> {
    const audioPath = join(directory, 'audio.ulaw');
    writeFileSync(audioPath, audio.ulaw);
    const program = new NativeProgram(path, [audioPath, String(streams), '127.0.0.1']);
    const { ports } = await program.answer<{ ports: number[] }>();
    return new LoadGenerator(program, ports);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Begins to send; where there are keys, both ways by SRTP. @throws as `protect` */
  sendTo(stream: number, server: LegMedia, own: LegMedia): void {
    this.protect(stream, server, own);
    this.begin(stream, server);
  }

  /**
   * From now on by SRTP both ways where there are keys; before `expectRelayed`, for the server sends at once.
   * @throws Error where only one side has a key
   */
  protect(stream: number, server: LegMedia, own: LegMedia): void {
    if ((own.key === undefined) !== (server.key === undefined))
      throw new Error(`stream ${stream}: SRTP is ${own.key ? 'refused' : 'not asked for'}`);
    if (own.key && server.key)
      this.#program.order(`srtp ${stream} ${own.key.toString('hex')} ${server.key.toString('hex')}`);
  }

  begin(stream: number, { port }: LegMedia): void {
    this.#program.order(`to ${stream} ${port}`);
  }

  /** It sends no more; what is on its way is received. */
  hush(stream: number): void {
    this.#program.order(`hush ${stream}`);
  }

  /** What has come to it of what it should receive. */
  relayed(stream: number): Promise<RelayedPackets> {
    this.#program.order(`relayed ${stream}`);
    return this.#program.answer();
  }

  /** It sends no more and expects nothing, until it is begun anew. @returns packets that it sent, in all */
  async endStream(stream: number): Promise<number> {
    this.#program.order(`end ${stream}`);
    const { sent } = await this.#program.answer<{ sent: number }>();
    return sent;
  }

  /** What the one receives should be the other's packets from now on, behind silence at most. */
  expectRelayed(stream: number, other: number): void {
    this.#program.order(`peer ${stream} ${other}`);
    this.#program.order(`peer ${other} ${stream}`);
  }

  /** It sends digital silence, as a muted phone does. */
  silence(stream: number): void {
    this.#program.order(`silent ${stream}`);
  }

  /** Of each stream so many packets of what it hears are kept. */
  listen(packets: number): void {
    this.#program.order(`listen ${packets}`);
  }

  /**
   * What was kept, stream by stream; once nobody sends any more, for to write it takes a while.
   * @param directory where it is put
   */
  async heard(directory: string): Promise<HeardStream[]> {
    const path = join(directory, 'heard');
    this.#program.order(`heard ${path}`);
    await this.#program.answer();
    return readHeard(await readFile(path), this.ports.length);
  }

  beginWindow(): void {
    this.#program.order('window');
  }

  report(): Promise<LoadReport> {
    this.#program.order('report');
    return this.#program.answer();
  }

  /** No stream sends any more; what is on its way is received. */
  quiet(): void {
    this.#program.order('quiet');
  }

  /** Every stream ends, and the process. */
  stop(): Promise<LoadTotals> {
    this.#program.order('stop');
    return this.#program.answer();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** @returns why the run tells nothing about the recorder; undefined where it does */
export function voidReason({ planned, sent, late, latenessP999Us }: LoadReport): string | undefined {
  if (planned === 0) return 'nothing was to be sent';
  const onTime = sent - late;
  if (onTime >= planned * (1 - mostLate)) return undefined;
  return `only ${onTime} of ${planned} packets were sent in time (p99.9 ${latenessP999Us} us late)`;
}
