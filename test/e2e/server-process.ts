import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config.ts';

export interface ServerProcessOptions {
  dataDir: string;
  numbers: Config['numbers'];
  settings?: Record<string, string>;
}

interface LogLine {
  msg: string;
  pid?: number;
  sip?: { transport: string; host: string; port: number }[];
  http?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const credentials = { accountId: 'account', authToken: 'not-a-secret-in-a-test' };

/** The product as it is started by hand: a process of its own, known by its log alone. */
export class ServerProcess {
  readonly exited: Promise<Exit>;
  readonly log: LogLine[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #ready = Promise.withResolvers<LogLine>();

  /** Starts it and waits until it takes calls. @throws when it ends before */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.#ready.promise;
    return server;
  }

  private constructor({ dataDir, numbers, settings }: ServerProcessOptions) {
    const child = spawn(process.execPath, [main], {
      cwd: dataDir,
      env: {
        PATH: process.env.PATH,
        CALLREEL_DATA_DIR: dataDir,
        CALLREEL_ACCOUNT_ID: credentials.accountId,
        CALLREEL_AUTH_TOKEN: credentials.authToken,
        CALLREEL_SIP_PORT: '0',
        CALLREEL_HTTP_PORT: '0',
        CALLREEL_RTP_PORTS: '0-0',
        CALLREEL_WORKERS: '1',
        CALLREEL_DRAIN_SECONDS: '0',
        CALLREEL_NUMBERS: JSON.stringify(numbers),
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    void this.exited.then(({ code, signal }) =>
      this.#ready.reject(new Error(`the server ended (${signal ?? code}): ${JSON.stringify(this.log)}`)),
    );
    this.#ready.promise.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The media workers it said it started. */
  get workerPids(): number[] {
    return this.log.filter(({ msg }) => msg === 'media worker runs').map(({ pid }) => pid!);
  }

  says(message: string): LogLine | undefined {
    return this.log.find(({ msg }) => msg === message);
  }

  async sipUri(number: string, transport = 'udp'): Promise<string> {
    const { host, port } = (await this.#ready.promise).sip!.find((each) => each.transport === transport)!;
    return `sip:${number}@${host}:${port}`;
  }

  async api<Body>(path: string): Promise<Body> {
    const { accountId, authToken } = credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken}`).toString('base64')}`;
    const response = await fetch((await this.#ready.promise).http + path, { headers: { authorization } });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Body;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #read(line: string): void {
    const entry = JSON.parse(line) as LogLine;
    this.log.push(entry);
    if (entry.msg === 'Callreel takes calls') this.#ready.resolve(entry);
  }
}
