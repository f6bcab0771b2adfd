import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { sleep, systemClock } from '../../src/clock.ts';

import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import type { BaresipEvent } from './baresip-control.ts';
import { BaresipControl } from './baresip-control.ts';
import { selfSigned } from './certificate.ts';
import { freePort, freePortPair } from './free-port.ts';
import { readNarrowband } from './narrowband.ts';
import type { NetworkHost } from './network-namespaces.ts';
import { plainWav } from './plain-wav.ts';
import type { TemporaryFolder } from './temporary-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface BaresipOptions {
  number: string;
  transport?: 'udp' | 'tcp' | 'tls';
  codec?: LineCodecName;
  /** SDES and nothing else, or plain RTP. */
  srtp?: boolean;
  /** Where it runs; without it, here. */
  network?: NetworkHost;
  /** Registers there, by digest; the number is the user name. */
  registrar?: { host: string; port: number; password: string };
  /** Played from answer on, 8 kHz; at its end baresip hangs up by itself, so make it as long as the call. */
  audio: Int16Array;
}

const loopback: NetworkHost = { prefix: [], address: '127.0.0.1', controlAddress: '127.0.0.1' };
const modules = '/usr/lib/baresip/modules';
const endTimeoutMs = 5000;
const registerAttempts = 200;
const registerIntervalMs = 50;
/** A name without a rate means 8000 Hz; of a name it does not know it says nothing and offers all it has. */
const codecNames = { PCMU: 'PCMU', PCMA: 'PCMA', G722: 'G722/16000/1', OPUS: 'opus/48000/2' } as const;

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
    const { network = loopback, transport = 'udp' } = options;
    // It listens for TLS beside the port it is told.
    const sipPort = await freePortPair();
    const controlPort = await freePort();
    await writeConfiguration(folder, options, sipPort, controlPort);
    const [program = '', ...args] = [...network.prefix, 'baresip', '-f', folder.path];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    child.stdout.on('data', (text) => output.push(String(text)));
    child.stderr.on('data', (text) => output.push(String(text)));
    try {
      const control = await BaresipControl.connect(
        network.controlAddress,
        controlPort,
        () => child.exitCode === null,
      );
      const parameters = transport === 'udp' ? '' : `;transport=${transport}`;
      const port = transport === 'tls' ? sipPort + 1 : sipPort;
      const sipUri = `sip:${options.number}@${network.address}:${port}${parameters}`;
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

  /** Resolves when it is registered. */
  async registered(): Promise<void> {
    // Its event may be gone before the control port is open.
    await this.#explain(async () => {
      for (let attempt = 0; attempt < registerAttempts; attempt++) {
        if (/200 OK \(.*\) \[\d+ bindings?\]/.test(this.#output.join(''))) return;
        await sleep(systemClock, registerIntervalMs);
      }
      throw new Error('baresip never registered');
    });
  }

  /** Puts the call on hold, by a re-INVITE. */
  async hold(): Promise<void> {
    await this.#explain(() => this.#control.command('hold'));
  }

  async resume(): Promise<void> {
    await this.#explain(() => this.#control.command('resume'));
  }

  /** Blind transfer (REFER). */
  async transfer(sipUri: string): Promise<void> {
    await this.#explain(() => this.#control.command('transfer', sipUri));
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
    return readNarrowband(this.#folder.file(file));
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
  {
    number,
    transport = 'udp',
    codec = 'PCMU',
    srtp = false,
    network = loopback,
    registrar,
    audio,
  }: BaresipOptions,
  sipPort: number,
  controlPort: number,
): Promise<void> {
  const config = [
    'poll_method epoll',
    `sip_listen ${network.address}:${sipPort}`,
    `net_interface ${network.address}`,
    `audio_source aufile,${folder.file('says.wav')}`,
    // What the file has; other codecs' rates are resampled from it.
    'ausrc_srate 8000',
    'ausrc_channels 1',
    // A player is needed for the receiving side to run; sndfile keeps what passes by.
    'audio_player aubridge,sink',
    'audio_alert aubridge,alert',
    `snd_path ${folder.path}`,
    `module_path ${modules}`,
    ...['g711', 'g722', 'opus', 'srtp', 'aufile', 'aubridge', 'sndfile'].map((name) => `module ${name}.so`),
    'sip_verify_server no',
    // Without one nobody can connect to it.
    ...(transport === 'tls' ? [`sip_certificate ${await identity(folder)}`] : []),
    ...['uuid', 'account'].map((name) => `module_tmp ${name}.so`),
    ...['menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen ${network.controlAddress}:${controlPort}`,
  ];
  const home = registrar ? `${registrar.host}:${registrar.port}` : network.address;
  const account =
    `<sip:${number}@${home};transport=${transport}>` +
    `;regint=${registrar ? 60 : 0};answermode=auto;dtmfmode=rtpevent;audio_codecs=${codecNames[codec]}` +
    (srtp ? ';mediaenc=srtp-mand' : '') +
    (registrar ? `;auth_user=${number};auth_pass=${registrar.password}` : '');
  await Promise.all([
    writeFile(folder.file('config'), `${config.join('\n')}\n`),
    writeFile(folder.file('accounts'), `${account}\n`),
    writeFile(folder.file('contacts'), ''),
    writeFile(folder.file('says.wav'), plainWav(audio)),
  ]);
}

/** Certificate and key in one file. */
async function identity(folder: TemporaryFolder): Promise<string> {
  const { certFile, keyFile } = await selfSigned(folder, 'baresip');
  const path = folder.file('identity.pem');
  await writeFile(path, (await readFile(certFile, 'utf8')) + (await readFile(keyFile, 'utf8')));
  return path;
}
