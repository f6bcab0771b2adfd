import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CallreelError } from '../errors.ts';

/** PostgreSQL refuses to run as root. */
export interface PostgresUser {
  uid: number;
  gid: number;
}

/** A dedicated user is better than `nobody`, which other services may share; it is taken where it exists. */
const preferredUsers = ['callreel', 'nobody'];

/**
 * Under root: the user PostgreSQL runs as, which is the owner of an existing cluster or the first preferred one of
 * `/etc/passwd` (initdb fails for an id without an entry there). Otherwise undefined: it runs as we do.
 * @throws CallreelError POSTGRES_START_FAILED
 */
export function postgresUser(clusterDir: string): PostgresUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readPasswd();
  const owner = statSync(clusterDir, { throwIfNoEntry: false })?.uid;
  const found =
    owner === undefined || owner === 0
      ? preferredUsers.map((name) => users.find((user) => user.name === name)).find((user) => user)
      : users.find((user) => user.uid === owner);
  if (found) return { uid: found.uid, gid: found.gid };
  const wanted = owner === undefined ? preferredUsers.join(' or ') : `of id ${owner}`;
  throw new CallreelError(
    'POSTGRES_START_FAILED',
    `PostgreSQL cannot run as root and /etc/passwd has no user ${wanted}`,
    { where: clusterDir },
  );
}

/** Whether `user` may pass through `dir` and everything above it. */
export function canTraverse(dir: string, user: PostgresUser): boolean {
  for (let at = dir; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function readPasswd(): { name: string; uid: number; gid: number }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid), gid: Number(gid) }));
}
