import { spawn } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CallreelError } from '../errors.ts';
import { ensurePrivateDir, type PostgresPlaces, socketPort } from './postgres-places.ts';

export const postgresRole = 'callreel';

/** Nothing of our own environment (PGDATA, PGOPTIONS, locale) may change what PostgreSQL does. */
export const cleanEnvironment = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };

/** Small memory, few connections, nothing on the network, and every acknowledged commit on the disk. */
const settings: Record<string, string> = {
  listen_addresses: '',
  port: String(socketPort),
  unix_socket_permissions: '0700',
  max_connections: '60',
  // Who waits for a lock and is not waited for any more goes.
  client_connection_check_interval: '2s',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  io_method: 'sync',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** The arguments of a server; `postmaster.opts` shows the same list. */
export function serverArguments(places: PostgresPlaces): string[] {
  const socketDirectories = `"${places.socketDir.replaceAll('"', '""')}"`;
  const all = { ...settings, unix_socket_directories: socketDirectories };
  return [
    '-D',
    places.cluster,
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/**
 * Makes the cluster if there is none, under another name first: a start killed half-way leaves no half cluster.
 * Everyone who reaches the socket is trusted; its directory lets only the owner in.
 * @throws CallreelError POSTGRES_START_FAILED
 */
export async function ensureCluster(places: PostgresPlaces, binaries: string): Promise<void> {
  if (existsSync(places.cluster)) {
    checkVersion(places.cluster, binaries);
    return;
  }
  const draft = `${places.cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  ensurePrivateDir(draft, places.user);
  const child = spawn(
    join(binaries, 'bin', 'initdb'),
    ['-D', draft, '-U', postgresRole, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions'],
    { ...places.user, env: cleanEnvironment, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [complaint, status] = await Promise.all([text(child.stderr), exited]).catch((cause: unknown) => {
    throw new CallreelError('POSTGRES_START_FAILED', 'initdb cannot be run', { where: binaries, cause });
  });
  if (status !== 0)
    throw new CallreelError('POSTGRES_START_FAILED', `initdb failed: ${complaint.trim()}`, { where: draft });
  renameSync(draft, places.cluster);
  syncDirectory(places.home);
}

function checkVersion(cluster: string, binaries: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  const expected = /^postgresql-(\d+)/.exec(basename(binaries))?.[1];
  if (found === expected) return;
  throw new CallreelError(
    'POSTGRES_START_FAILED',
    `the cluster was made by PostgreSQL ${found} and this Callreel brings PostgreSQL ${expected}`,
    { where: cluster },
  );
}

function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  fsyncSync(handle);
  closeSync(handle);
}
