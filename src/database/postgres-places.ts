import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { canTraverse, type PostgresUser, postgresUser } from './postgres-user.ts';

export interface PostgresPlaces {
  /** Holds everything of this cluster except, where its path is too long, the socket. */
  home: string;
  cluster: string;
  socketDir: string;
  log: string;
  user: PostgresUser | undefined;
}

/** Port number of a Unix socket: only a part of its name. */
export const socketPort = 5432;

/** sun_path of Linux holds 108 bytes with the closing zero. */
const maxSocketPathBytes = 107;

/** initdb calls its programs through a shell and puts their path in double quotes. */
const unfitForShell = /["$`\\\n]/;

/** Where a cluster goes when root's data directory is closed to the user PostgreSQL must run as. */
export const systemHome = '/var/lib/callreel';

/**
 * Decides where the cluster of a data directory lies: `<dataDir>/postgres`, unless we are root and the PostgreSQL user
 * cannot reach that (root's home, say): then `/var/lib/callreel/<hash of the data directory's path>`. The file
 * `<dataDir>/postgres.location` tells which, and lets the cluster follow a data directory that was moved.
 * @param dataDir real path
 * @throws CallreelError POSTGRES_START_FAILED
 */
export function choosePlaces(dataDir: string, outside = systemHome): PostgresPlaces {
  const key = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const inside = join(dataDir, 'postgres');
  let user = postgresUser(join(inside, 'data'));
  let home = inside;
  if (user && !canTraverse(dataDir, user)) {
    home = join(outside, key);
    followMovedDataDir(dataDir, home);
    user = postgresUser(join(home, 'data'));
  }
  if (unfitForShell.test(home))
    throw new CallreelError(
      'POSTGRES_START_FAILED',
      `PostgreSQL cannot run from a path with quotation marks, $, \` or \\: ${home}`,
      { where: 'dataDir' },
    );
  mkdirSync(home, { recursive: true, mode: 0o711 });
  if (home !== inside) writeFileSync(locationFile(dataDir), `${JSON.stringify({ dataDir, home })}\n`);
  const log = join(home, 'postgres.log');
  return { home, cluster: join(home, 'data'), socketDir: socketDirectory(home, key, user), log, user };
}

/** Makes a directory that only the PostgreSQL user may enter, or checks that it is one. */
export function ensurePrivateDir(dir: string, user: PostgresUser | undefined): void {
  const uid = user?.uid ?? process.getuid?.() ?? 0;
  try {
    mkdirSync(dir, { mode: 0o700 });
    if (user) chownSync(dir, user.uid, user.gid);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(dir);
  if (found.isDirectory() && found.uid === 0 && process.getuid?.() === 0 && user) {
    // A start that was killed between mkdir and chown.
    chownSync(dir, user.uid, user.gid);
    chmodSync(dir, 0o700);
  } else if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new CallreelError(
      'POSTGRES_START_FAILED',
      `${dir} must be a directory that only user id ${uid} can enter`,
      { where: dir },
    );
}

function socketDirectory(home: string, key: string, user: PostgresUser | undefined): string {
  const beside = join(home, 'socket');
  const name = `.s.PGSQL.${socketPort}`;
  if (Buffer.byteLength(join(beside, name)) <= maxSocketPathBytes) return beside;
  return join(user ? '/run' : tmpdir(), `callreel-${key}`);
}

function locationFile(dataDir: string): string {
  return join(dataDir, 'postgres.location');
}

function followMovedDataDir(dataDir: string, home: string): void {
  if (existsSync(home) || !existsSync(locationFile(dataDir))) return;
  const before = JSON.parse(readFileSync(locationFile(dataDir), 'utf8')) as { dataDir: string; home: string };
  // When the old path still exists the directory was copied, and the cluster belongs to the original.
  if (before.dataDir === dataDir || existsSync(before.dataDir) || !existsSync(before.home)) return;
  mkdirSync(dirname(home), { recursive: true, mode: 0o711 });
  renameSync(before.home, home);
}
