import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export const commandFile = fileURLToPath(new URL('../../bin/callreel', import.meta.url));

/** The `callreel` command as a process of its own, in a directory and with settings like a user's. */
export class CommandLine {
  readonly #cwd: string;
  readonly #settings: Record<string, string>;

  constructor(cwd: string, settings: Record<string, string>) {
    this.#cwd = cwd;
    this.#settings = settings;
  }

  run(...args: string[]): Promise<CommandResult> {
    const env = { PATH: process.env.PATH, ...this.#settings };
    return new Promise((resolve) => {
      execFile(process.execPath, [commandFile, ...args], { cwd: this.#cwd, env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** The answer of a command that must succeed, as JSON. */
  async json<Value>(...args: string[]): Promise<Value> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`callreel ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Value;
  }
}
