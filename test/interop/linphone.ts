import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { sleep, systemClock } from '../../src/clock.ts';

import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import { freePort, freePortPair } from './free-port.ts';
import { readNarrowband } from './narrowband.ts';
import { plainWav } from './plain-wav.ts';
import type { TemporaryFolder } from './temporary-folder.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface LinphoneOptions {
  number: string;
  transport?: 'udp' | 'tcp' | 'tls';
  /** Offered and taken, nothing else. */
  codecs?: readonly LineCodecName[];
  /** SDES and nothing else, or plain. */
  srtp?: boolean;
  /** Played from answer on, 8 kHz, over and over. */
  audio: Int16Array;
}

const host = '127.0.0.1';
const waitTimeoutMs = 15_000;
const pollMs = 20;
const endTimeoutMs = 5000;
const formats = {
  PCMU: ['PCMU', 8000, 1],
  PCMA: ['PCMA', 8000, 1],
  G722: ['G722', 8000, 1],
  OPUS: ['opus', 48_000, 2],
} as const;

/** What linphonec would offer by itself: name, clock rate, channels, enabled. */
const allCodecs = [
  ['opus', 48_000, 2, 0],
  ['speex', 16_000, 1, 0],
  ['speex', 8000, 1, 0],
  ['speex', 32_000, 1, 0],
  ['PCMU', 8000, 1, 0],
  ['PCMA', 8000, 1, 0],
  ['GSM', 8000, 1, 0],
  ['G722', 8000, 1, 0],
  ['G729', 8000, 1, 0],
] as const;

/** linphonec 5.1 as a peer: places one call, plays a file into it, keeps what it hears. */
export class Linphone {
  readonly #folder: TemporaryFolder;
  readonly #process: ChildProcess;
  #output = '';

  private constructor(folder: TemporaryFolder, process: ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    const keep = (text: Buffer) => {
      this.#output += String(text);
    };
    process.stdout?.on('data', keep);
    process.stderr?.on('data', keep);
  }

  static async start(options: LinphoneOptions): Promise<Linphone> {
    const folder = await temporaryFolder('linphone');
    await mkdir(folder.file('.local/share/linphone'), { recursive: true });
    await writeFile(folder.file('linphonerc'), await configuration(options));
    await writeFile(folder.file('says.wav'), plainWav(options.audio));
    const child = spawn('linphonec', ['-c', folder.file('linphonerc'), '-d', '0'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder.path, TERM: 'dumb' },
    });
    const phone = new Linphone(folder, child);
    try {
      await phone.#command('soundcard use files', /Using wav files instead of soundcard/);
      await phone.#command('ipv6 disable', /IPV6 use disabled/i);
      await phone.#command(`play ${folder.file('says.wav')}`);
      await phone.#command(`record ${folder.file('hears.wav')}`);
      return phone;
    } catch (error) {
      await phone.stop();
      throw error;
    }
  }

  /** Resolves when the call is established. @throws Error with what linphonec printed */
  async dial(sipUri: string): Promise<void> {
    await this.#command(`call ${sipUri}`, /Call \d+ with .* connected\./);
    await this.#seen(/Media streams established with/);
  }

  /** Puts the call on hold, by a re-INVITE. */
  async pause(): Promise<void> {
    await this.#command('pause', /Call \d+ with .* is now paused\./);
  }

  async resume(): Promise<void> {
    await this.#command('resume', /Media streams established with/);
  }

  /** Blind transfer (REFER). */
  async transfer(sipUri: string): Promise<void> {
    await this.#command(`transfer ${sipUri}`);
  }

  /** Presses a key. */
  async pressDigit(key: string): Promise<void> {
    await this.#command(key);
  }

  async hangUp(): Promise<void> {
    await this.#command('terminate', /Call \d+ .*ended|Call ended/);
  }

  /** What it heard, decoded, from its first packet on. Only after the call. */
  heard(): Promise<Int16Array> {
    return readNarrowband(this.#folder.file('hears.wav'));
  }

  /** Everything it printed. */
  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.stdin?.write('quit\n');
      const timer = systemClock.after(endTimeoutMs, () => this.#process.kill('SIGKILL'));
      await exited;
      timer.cancel();
    }
    await this.#folder.remove();
  }

  async #command(line: string, answer?: RegExp): Promise<void> {
    const from = this.#output.length;
    this.#process.stdin?.write(`${line}\n`);
    if (answer) await this.#seen(answer, from);
  }

  async #seen(pattern: RegExp, from = 0): Promise<void> {
    const deadlineUs = systemClock.monotonicUs() + waitTimeoutMs * 1000;
    while (!pattern.test(this.#output.slice(from))) {
      if (this.#process.exitCode !== null || systemClock.monotonicUs() > deadlineUs)
        throw new Error(`linphonec never said ${pattern}:\n${this.#output.slice(-4000)}`);
      await sleep(systemClock, pollMs);
    }
  }
}

async function configuration({
  number,
  transport = 'udp',
  codecs = ['PCMU'],
  srtp = false,
}: LinphoneOptions): Promise<string> {
  const port = await freePort(host);
  const wanted = codecs.map((codec) => [...formats[codec], 1] as const);
  const unwanted = allCodecs.filter(([name]) => !wanted.some(([wantedName]) => wantedName === name));
  const codecSections = [...wanted, ...unwanted].map(
    ([name, rateHz, channels, enabled], index) =>
      `[audio_codec_${index}]\nmime=${name}\nrate=${rateHz}\nchannels=${channels}\nenabled=${enabled}`,
  );
  return `[sip]
sip_port=${transport === 'udp' ? port : -1}
sip_tcp_port=${transport === 'tcp' ? port : -1}
sip_tls_port=${transport === 'tls' ? port : -1}
verify_server_certs=0
verify_server_cn=0
default_proxy=-1
guess_hostname=0
bind_address=${host}
use_ipv6=0
contact=sip:${number}@${host}
use_info=0
use_rfc2833=1
media_encryption=${srtp ? 'srtp' : 'none'}
keepalive_period=10000
register_only_when_network_is_up=0

[net]
mtu=1300
firewall_policy=0

[rtp]
audio_rtp_port=${await freePortPair(host)}
audio_jitt_comp=60

[sound]
echocancellation=0
mic_gain_db=0
playback_gain_db=0

[video]
enabled=0
display=0
capture=0

${codecSections.join('\n\n')}
`;
}
