import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/clock.ts';
import { readLineAudio } from '../../src/testkit/audio-file.ts';
import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import type { BaresipEvent } from './baresip-control.ts';
import { BaresipControl } from './baresip-control.ts';
import { freePort } from './free-port.ts';
import { plainWav } from './plain-wav.ts';
import type { TemporaryFolder } from './temporary-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface BaresipOptions {
  number: string;
  transport?: 'udp' | 'tcp';
  codec?: LineCodecName;
  /** Played from answer on, 8 kHz; at its end baresip hangs up by itself, so make it as long as the call. */
  audio: Int16Array;
}

const host = '127.0.0.1';
const modules = '/usr/lib/baresip/modules';
const endTimeoutMs = 5000;

/**
 * baresip 1.0 as a peer: answers every call by itself, plays a file, keeps what it hears. It answers OPTIONS with
 * 404. One call for each object.
 */
export class Baresip {
  readonly sipUri: string;
  readonly #folder: TemporaryFolder;
  readonly #process: ChildProcess;
  readonly #output: string[];
  readonly #control: BaresipControl;

  private constructor(parts: {
    sipUri: string;
    folder: TemporaryFolder;
    process: ChildProcess;
    output: string[];
    control: BaresipControl;
  }) {
    this.sipUri = parts.sipUri;
    this.#folder = parts.folder;
    this.#process = parts.process;
    this.#output = parts.output;
    this.#control = parts.control;
  }

  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = await temporaryFolder('baresip');
    const sipPort = await freePort(host);
    const controlPort = await freePort(host);
    await writeConfiguration(folder, options, sipPort, controlPort);
    const child = spawn('baresip', ['-f', folder.path], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    child.stdout.on('data', (text) => output.push(String(text)));
    child.stderr.on('data', (text) => output.push(String(text)));
    try {
      const control = await BaresipControl.connect(host, controlPort, () => child.exitCode === null);
      const parameters = options.transport === 'tcp' ? ';transport=tcp' : '';
      const sipUri = `sip:${options.number}@${host}:${sipPort}${parameters}`;
      return new Baresip({ sipUri, folder, process: child, output, control });
    } catch (error) {
      child.kill('SIGKILL');
      await folder.remove();
      throw new Error(`${(error as Error).message}\n${output.join('')}`, { cause: error });
    }
  }

  /** Resolves when the call is established. @throws Error with baresip's output */
  async dial(sipUri: string): Promise<void> {
    await this.#explain(async () => {
      await this.#control.command('dial', sipUri);
      const closed = this.#control.waitFor('CALL_CLOSED').then(({ param }) => {
        throw new Error(`baresip: the call to ${sipUri} was closed: ${param}`);
      });
      // Only one of the two is awaited; the other may fail when baresip is stopped.
      closed.catch(() => {});
      await Promise.race([this.#control.waitFor('CALL_ESTABLISHED'), closed]);
    });
  }

  /** For calls to baresip: resolves when one is established. */
  async established(): Promise<void> {
    await this.#explain(() => this.#control.waitFor('CALL_ESTABLISHED'));
  }

  /** Presses a key (RFC 4733). */
  async pressDigit(key: string): Promise<void> {
    await this.#explain(() => this.#control.command('sndcode', key));
  }

  async hangUp(): Promise<void> {
    await this.#explain(() => this.#control.command('hangup'));
  }

  /** Resolves when the call is over, whoever ended it. */
  closed(timeoutMs?: number): Promise<BaresipEvent> {
    return this.#explain(() => this.#control.waitFor('CALL_CLOSED', timeoutMs));
  }

  /** What it heard, decoded, from its first packet on. Only after the call. */
  async heard(): Promise<Int16Array> {
    const file = (await readdir(this.#folder.path)).find((name) => /^dump-.*-dec\.wav$/.test(name));
    if (!file) throw new Error(`baresip kept nothing of what it heard\n${this.#output.join('')}`);
    return readLineAudio(this.#folder.file(file));
  }

  /** Ends baresip (a running call by BYE) and removes its files. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      const timer = systemClock.after(endTimeoutMs, () => this.#process.kill('SIGKILL'));
      await exited;
      timer.cancel();
    }
    this.#control.close();
    await this.#folder.remove();
  }

  async #explain<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const message = `${(error as Error).message}\nbaresip said:\n${this.#output.join('').slice(-4000)}`;
      throw new Error(message, { cause: error });
    }
  }
}

async function writeConfiguration(
  folder: TemporaryFolder,
  { number, transport = 'udp', codec = 'PCMU', audio }: BaresipOptions,
  sipPort: number,
  controlPort: number,
): Promise<void> {
  const config = [
    'poll_method epoll',
    `sip_listen ${host}:${sipPort}`,
    `net_interface ${host}`,
    `audio_source aufile,${folder.file('says.wav')}`,
    // A player is needed for the receiving side to run; sndfile keeps what passes by.
    'audio_player aubridge,sink',
    'audio_alert aubridge,alert',
    `snd_path ${folder.path}`,
    `module_path ${modules}`,
    ...['g711', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
    ...['uuid', 'account'].map((name) => `module_tmp ${name}.so`),
    ...['menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen ${host}:${controlPort}`,
  ];
  const account =
    `<sip:${number}@${host};transport=${transport}>` +
    `;regint=0;answermode=auto;dtmfmode=rtpevent;audio_codecs=${codec}`;
  await Promise.all([
    writeFile(folder.file('config'), `${config.join('\n')}\n`),
    writeFile(folder.file('accounts'), `${account}\n`),
    writeFile(folder.file('contacts'), ''),
    writeFile(folder.file('says.wav'), plainWav(audio)),
  ]);
}
