import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';

/** Puts the tarball of `name@version` into a folder. @returns its path */
export type PackageFetch = (spec: string, folder: string, signal: AbortSignal) => Promise<string>;

const fetchTimeoutMs = 15 * 60_000;
const shownErrorCharacters = 400;
/** The server's settings hold secrets that npm has no business with; its own (registry, proxies, cache) it keeps. */
const ownVariables = /^(?:CALLREEL_|TTS_|STT_)|^DATABASE_URL$/;

/**
 * `npm pack`: whatever registry, mirror or proxy npm is set up with is used. Runs no script of the package.
 * @throws CallreelError TRANSCRIPTION_UNAVAILABLE
 * @throws the signal's reason
 */
export function npmPack(clock: Clock, command = 'npm'): PackageFetch {
  return async (spec, folder, signal) => {
    signal.throwIfAborted();
    const fail = (what: string, cause?: unknown) =>
      new CallreelError('TRANSCRIPTION_UNAVAILABLE', `npm pack ${spec}: ${what}`, { where: spec, cause });
    const args = ['pack', spec, '--pack-destination', folder, '--ignore-scripts', '--silent'];
    const npm = spawn(command, args, {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own, so that what it starts ends with it.
      detached: true,
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !ownVariables.test(name))),
    });
    let errors = '';
    npm.stderr.on('data', (bytes: Uint8Array) => {
      errors = (errors + Buffer.from(bytes).toString()).slice(-shownErrorCharacters);
    });
    const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
    const timer = clock.after(fetchTimeoutMs, () => stop(fail(`not done within ${fetchTimeoutMs} ms`)));
    const giveUp = () => stop(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    const ended = new Promise<string>((resolve, reject) => {
      npm.on('error', (error) => reject(fail(`npm cannot be run: ${error.message}`, error)));
      npm.on('close', (code, killedBy) => resolve(killedBy ?? `status ${code}`));
    });
    ended.catch(() => undefined);
    try {
      const end = await Promise.race([ended, stopped]);
      if (end !== 'status 0') throw fail(`ended with ${end}: ${errors.trim()}`);
    } catch (error) {
      if (npm.pid !== undefined && npm.exitCode === null) killGroup(npm.pid);
      throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    }
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    if (!tarball) throw fail('gave no file');
    return join(folder, tarball);
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
