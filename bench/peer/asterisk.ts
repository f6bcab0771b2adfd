import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/clock.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { firstNumber } from '../capacity/connect-call.ts';
import { samplesPerMs } from '../capacity/recorded-calls.ts';
import { packetSamples } from '../capacity/stream-audio.ts';
import { type CallMedia, host, TwoPartySignalling } from '../capacity/two-party-signalling.ts';
import type { Peer } from './peer.ts';

const program = '/usr/sbin/asterisk';
const startTimeoutMs = 60_000;
const pollMs = 500;
const hangUpsPerSecond = 50;
/** What a call may be longer than its recording by: MixMonitor begins and ends a moment beside the media. */
const edgePackets = 50;

export interface AsteriskOptions {
  /** Folder of a Debian that has it, or `/`. */
  root: string;
  sipPort: number;
  /** Of media, `first-last`. */
  ports: string;
}

/** Asterisk, which bridges calls (chan_pjsip) and writes the mix of each as WAV (MixMonitor). */
export class Asterisk implements Peer {
  readonly #process: ChildProcess;
  readonly #signalling: TwoPartySignalling;
  readonly #sipPort: number;
  /** As the bench sees it. */
  readonly #directory: string;
  #calls = 0;

  private constructor(
    process: ChildProcess,
    signalling: TwoPartySignalling,
    sipPort: number,
    directory: string,
  ) {
    this.#process = process;
    this.#signalling = signalling;
    this.#sipPort = sipPort;
    this.#directory = directory;
  }

  /** @throws Error that says what is missing, or that it did not start */
  static async start({ root, sipPort, ports }: AsteriskOptions): Promise<Asterisk> {
    if (!existsSync(join(root, program)))
      throw new Error(
        `there is no ${join(root, program)}: give --asterisk-root a Debian with the package asterisk`,
      );
    const signalling = await TwoPartySignalling.open();
    mkdirSync(join(root, 'tmp'), { recursive: true });
    const directory = mkdtempSync(join(root, 'tmp', 'bench-'));
    const inside = `/${directory.slice(root.length).replace(/^\/+/, '')}`;
    for (const [name, text] of configuration(inside, signalling.calledUri(0), { sipPort, ports }))
      writeFileSync(join(directory, name), text);
    const args = ['-f', '-C', `${inside}/asterisk.conf`];
    const child = spawn('chroot', [root, program, ...args], { stdio: 'ignore' });
    const asterisk = new Asterisk(child, signalling, sipPort, directory);
    try {
      await asterisk.#started();
      return asterisk;
    } catch (error) {
      await asterisk[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #started(): Promise<void> {
    const untilUs = systemClock.monotonicUs() + startTimeoutMs * 1000;
    while (!existsSync(join(this.#directory, 'asterisk.ctl'))) {
      const { exitCode } = this.#process;
      if (exitCode !== null) throw new Error(`${program} ended with code ${exitCode}`);
      if (systemClock.monotonicUs() > untilUs) throw new Error(`${program} does not start`);
      await sleep(systemClock, pollMs);
    }
    // Its modules are there a moment behind its socket.
    await sleep(systemClock, 10 * pollMs);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async connect(call: number, media: CallMedia): Promise<CallMedia> {
    this.#calls = Math.max(this.#calls, call + 1);
    return await this.#signalling.call(call, `sip:${firstNumber + call}@${host}:${this.#sipPort}`, media);
  }

  async end(): Promise<void> {
    await this.#signalling.hangUp(hangUpsPerSecond);
    // MixMonitor writes what it has, and ends, in threads of its own.
    await sleep(systemClock, 10 * pollMs);
  }

  /** Its files are mixes, of which only the length is held against what was sent. */
  async notRecorded(sent: readonly number[]): Promise<number> {
    let missing = 0;
    for (let call = 0; call < this.#calls; call++) {
      const { rateHz, channels } = decodeWav(
        await readFile(join(this.#directory, `${firstNumber + call}.wav`)),
      );
      if (rateHz !== samplesPerMs * 1000) throw new Error(`a file at ${rateHz} Hz`);
      const packets = Math.floor((channels[0]?.length ?? 0) / packetSamples);
      missing += Math.max(0, Math.max(sent[2 * call]!, sent[2 * call + 1]!) - packets - edgePackets);
    }
    return missing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#signalling[Symbol.asyncDispose]();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Files of its configuration, by their names; all that it writes is in the same folder. */
function configuration(
  directory: string,
  calledUri: string,
  { sipPort, ports }: Omit<AsteriskOptions, 'root'>,
): [string, string][] {
  const [first, last] = ports.split('-');
  const calledHost = calledUri.slice(calledUri.indexOf('@'));
  const folders = ['etc', 'varlib', 'db', 'key', 'agi', 'spool', 'run', 'log'];
  const own = folders.map((name) => `ast${name}dir => ${directory}`).join('\n');
  return [
    [
      'asterisk.conf',
      `[directories]\n${own}\nastdatadir => /usr/share/asterisk\nastmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules\n[options]\nmaxfiles = 65536\n`,
    ],
    ['modules.conf', '[modules]\nautoload=yes\n'],
    ['logger.conf', '[general]\n[logfiles]\nmessages => warning,error\n'],
    ['rtp.conf', `[general]\nrtpstart=${first}\nrtpend=${last}\nstrictrtp=no\n`],
    [
      'pjsip.conf',
      `[udp]\ntype=transport\nprotocol=udp\nbind=${host}:${sipPort}\n` +
        '[bench]\ntype=endpoint\ntransport=udp\ncontext=calls\ndisallow=all\nallow=ulaw\ndirect_media=no\n' +
        `[identify]\ntype=identify\nendpoint=bench\nmatch=${host}\n`,
    ],
    [
      'extensions.conf',
      `[calls]\nexten => _X.,1,Set(CALLERID(num)=\${CUT(CUT(PJSIP_HEADER(read,To),@,1),:,2)})\n` +
        `same => n,MixMonitor(${directory}/\${EXTEN}.wav)\n` +
        `same => n,Dial(PJSIP/bench/sip:$[\${EXTEN} - ${firstNumber}]${calledHost})\n`,
    ],
  ];
}
