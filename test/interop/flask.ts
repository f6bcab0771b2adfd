import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/clock.ts';
import { freePort } from './free-port.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** Debian's, which sees Debian's packages. */
const python = '/usr/bin/python3';
const host = '127.0.0.1';
const waitTimeoutMs = 30_000;

/** A Flask application as its author runs it: `flask run`, in a folder of its own. */
export class FlaskApp {
  readonly url: string;
  readonly #folder: TemporaryFolder;
  readonly #port: number;
  #process: ChildProcess | undefined;
  #output = '';
  #changed = Promise.withResolvers<void>();

  private constructor(folder: TemporaryFolder, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `http://${host}:${port}`;
  }

  /** Chooses where it will listen; `run` starts it. */
  static async prepare(): Promise<FlaskApp> {
    return new FlaskApp(await temporaryFolder('flask'), await freePort(host));
  }

  /** @throws Error with its output when it does not begin to listen */
  async run(code: string): Promise<void> {
    await writeFile(this.#folder.file('guide.py'), code);
    const args = ['-m', 'flask', '--app', 'guide', 'run', '--host', host, '--port', String(this.#port)];
    this.#process = spawn(python, args, {
      cwd: this.#folder.path,
      env: { PATH: '/usr/bin:/bin', HOME: this.#folder.path, PYTHONUNBUFFERED: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#notify();
      });
    }
    this.#process.on('exit', () => this.#notify());
    await this.said(/Running on/);
  }

  /** All it printed and logged. */
  get output(): string {
    return this.#output;
  }

  /** The path of a file in its working directory. */
  file(name: string): string {
    return this.#folder.file(name);
  }

  /** Waits until it has printed or logged this. @throws Error with its output when it ended or takes too long */
  async said(what: RegExp): Promise<void> {
    let late = false;
    const timer = systemClock.after(waitTimeoutMs, () => {
      late = true;
      this.#notify();
    });
    try {
      while (!what.test(this.#output)) {
        if (late || this.#process?.exitCode != null)
          throw new Error(`the application never said ${what}:\n${this.#output}`);
        await this.#changed.promise;
      }
    } finally {
      timer.cancel();
    }
  }

  /** Ends it; its files stay. */
  async end(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#folder.remove();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
