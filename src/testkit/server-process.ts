import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { choosePlaces } from '../database/postgres-places.ts';
import { clusterProcesses } from '../database/postgres-process.ts';
import { copyReadyCluster } from '../database/ready-cluster.ts';
import type { TransportName } from '../sip/transport.ts';
import { findWorkers } from '../worker/previous-workers.ts';

export interface ServerProcessOptions {
  dataDir: string;
  /** Each asks a URL what to do with a call, or has the document itself. */
  numbers: {
    number: string;
    onIncoming?: string;
    defaultRoutine?: unknown[];
    dialect?: 'sift' | 'signalwire' | 'sinch';
  }[];
  /** As environment variables, over free ports and one media worker. */
  settings?: Record<string, string>;
  /** What its command line begins with, such as `ip netns exec name`; it must become the server by exec. */
  prefix?: readonly string[];
}

interface Listening {
  sip: { transport: string; host: string; port: number }[];
  http: string;
}

const mainFile = fileURLToPath(new URL('../main.ts', import.meta.url));
const startedMessage = 'Callreel takes calls';

/** A Callreel in a process of its own, as an operator runs it: to be stopped by signals, and to be killed. */
export class ServerProcess {
  /** What it logged, a JSON object each. */
  readonly log: Record<string, unknown>[] = [];
  readonly dataDir: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<{ code: number | null; signal: string | null }>;
  #listening: Listening = { sip: [], http: '' };

  private constructor(options: ServerProcessOptions) {
    this.dataDir = options.dataDir;
    writeFileSync(join(options.dataDir, 'callreel.yaml'), stringify({ numbers: options.numbers }));
    const [program = '', ...args] = [...(options.prefix ?? []), process.execPath, mainFile];
    this.#child = spawn(program, args, {
      cwd: options.dataDir,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        CALLREEL_DATA_DIR: options.dataDir,
        CALLREEL_SIP_PORT: '0',
        CALLREEL_HTTP_PORT: '0',
        CALLREEL_RTP_PORTS: '0-0',
        CALLREEL_WORKERS: '1',
        // How busy the machine is with other tests says nothing of the server.
        CALLREEL_ADMISSION_MAX_LATE_TICK_SHARE: '0',
        CALLREEL_ADMISSION_MAX_SIGNALLING_BUSY_SECONDS: '0',
        ...options.settings,
      },
    });
    this.#exit = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  /** @throws Error with the log when it ends instead of starting */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    if (options.settings?.CALLREEL_DATABASE_URL === undefined) await copyReadyCluster(options.dataDir);
    const server = new ServerProcess(options);
    await Promise.race([
      server.#started(),
      server.#exit.then(({ code }) => {
        throw new Error(`the server ended with code ${code}: ${JSON.stringify(server.log.at(-1))}`);
      }),
    ]);
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Process ids of its media workers. */
  get workerPids(): number[] {
    return findWorkers(join(this.dataDir, 'spool'));
  }

  get publicUrl(): string {
    return this.#listening.http;
  }

  /** Host and port of its SIP listener. */
  sipAddress(transport: TransportName = 'udp'): { address: string; port: number } {
    const listener = this.#listening.sip.find((candidate) => candidate.transport === transport);
    return { address: listener?.host ?? '', port: listener?.port ?? 0 };
  }

  sipUri(number: string, transport: TransportName = 'udp'): string {
    const { address, port } = this.sipAddress(transport);
    return `sip:${number}@${address}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
  }

  /** HTTP Basic of its account. */
  get authorization(): string {
    const kept = (name: string) => readFileSync(join(this.dataDir, name), 'utf8').trim();
    return `Basic ${Buffer.from(`${kept('account-id')}:${kept('auth-token')}`).toString('base64')}`;
  }

  /** Behind HTTP Basic; gives the JSON body. */
  async api<Body>(path: string, method: 'GET' | 'POST' = 'GET'): Promise<Body> {
    const response = await fetch(this.publicUrl + path, {
      method,
      headers: { authorization: this.authorization },
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Body;
  }

  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
    this.#child.kill(name);
  }

  /** How it ended. */
  get exited(): Promise<{ code: number | null; signal: string | null }> {
    return this.#exit;
  }

  /** Ends what a test that failed left running: the server, its workers and its embedded database. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await this.#exit;
    const { cluster } = choosePlaces(realpathSync(this.dataDir));
    for (const pid of [...this.workerPids, ...clusterProcesses(cluster)]) endProcess(pid);
  }

  #started(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const entry = parseLine(line);
      this.log.push(entry);
      if (entry.msg !== startedMessage) return;
      this.#listening = entry as unknown as Listening;
      resolve();
    });
    return promise;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch {
    return { msg: line };
  }
}
