import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileName = 'http-address';
const maxLength = 300;

/**
 * Leaves word in the data directory where the running server answers HTTP, for the command line on the same machine.
 * @returns takes it back
 */
export function keepServerAddress(dataDir: string, url: string): () => void {
  const file = join(dataDir, fileName);
  const { protocol, port, hostname } = new URL(url);
  // A wildcard address can be listened on, not called.
  const host = hostname === '0.0.0.0' ? '127.0.0.1' : hostname === '[::]' ? '[::1]' : hostname;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${protocol}//${host}:${port}\n${process.pid}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return () => rmSync(file, { force: true });
}

/** @returns undefined when the server is gone: whoever has its port by now must not get our credentials */
export function readServerAddress(dataDir: string): string | undefined {
  try {
    const [url = '', pid] = readFileSync(join(dataDir, fileName), 'utf8').slice(0, maxLength).split('\n');
    return URL.canParse(url) && isAlive(Number(pid)) ? url : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
