import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const sources = fileURLToPath(new URL('../reference/', import.meta.url));

/**
 * Compiles a program of `bench/reference`.
 * @returns where it lies, in `directory`
 * @throws Error that names what to install, or what the compiler said
 */
export async function buildProgram(name: string, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  try {
    await promisify(execFile)('cc', ['-O2', '-Wall', '-Wextra', '-o', path, join(sources, `${name}.c`)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('this bench needs a C compiler (cc): apt-get install build-essential', { cause: error });
  }
  return path;
}

/** A program that reads orders, a line each, and answers some with a line of JSON. */
export class NativeProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(path: string, args: readonly string[]) {
    this.#child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.#child, 'exit');
    // Of one that has ended, `answer` tells.
    this.#child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  order(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** @throws Error when it ends instead */
  async answer<Answer>(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the program ended without an answer');
    return JSON.parse(value) as Answer;
  }

  /** Its standard input ends; it ends by that. */
  endOrders(): void {
    this.#child.stdin.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
