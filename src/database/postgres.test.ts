import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import { sleep, systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { ensureDataDir } from './data-dir.ts';
import { keepAlive } from './keep-alive.ts';
import { Postgres, type PostgresAddress } from './postgres.ts';
import { choosePlaces } from './postgres-places.ts';
import { clusterProcesses } from './postgres-process.ts';
import { makeTemporaryDir } from './temporary-database.ts';

const root = process.getuid?.() === 0;
const nobody = 65534;

let dir: string;
const running: Postgres[] = [];

beforeEach(() => {
  dir = makeTemporaryDir();
});

afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(dataDir: string, outside?: string): Promise<Postgres> {
  const postgres = await Postgres.start({
    dataDir: ensureDataDir(dataDir),
    clock: systemClock,
    logger: silentLogger,
    ...(outside === undefined ? {} : { outside }),
  });
  running.push(postgres);
  return postgres;
}

async function query(address: PostgresAddress, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ ...address });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await keepAlive(
    (async () => {
      while (!(await condition())) await sleep(systemClock, 20);
    })(),
  );
}

/** Runs the supervisor in a process of its own; the first line it prints is its server's process id. */
const project = fileURLToPath(new URL('../..', import.meta.url));

/** The project where every user can read it: a clone in root's home is closed to others. Hard links where they can be. */
function reachableProject(target: string): string {
  mkdirSync(target, { mode: 0o755 });
  const parts = ['src', 'node_modules', 'package.json'].map((name) => join(project, name));
  try {
    execFileSync('cp', ['-al', ...parts, target], { stdio: 'ignore' });
  } catch {
    execFileSync('cp', ['-a', ...parts, target]);
  }
  return target;
}

async function startElsewhere(
  dataDir: string,
  uid?: number,
  from: string = project,
): Promise<{ child: ChildProcess; serverPid: number }> {
  const source = (path: string) => JSON.stringify(pathToFileURL(join(from, 'src', path)).href);
  const program = `
    import { Postgres } from ${source('database/postgres.ts')};
    import { ensureDataDir } from ${source('database/data-dir.ts')};
    import { systemClock } from ${source('clock.ts')};
    import { silentLogger } from ${source('logger.ts')};
    const dataDir = ensureDataDir(${JSON.stringify(dataDir)});
    const postgres = await Postgres.start({ dataDir, clock: systemClock, logger: silentLogger });
    console.log(postgres.pid);
    process.stdin.on('data', async () => { await postgres.stop(); process.exit(); });
  `;
  const node = process.execPath.startsWith(project)
    ? join(from, process.execPath.slice(project.length))
    : process.execPath;
  const child = spawn(node, ['--input-type=module', '-e', program], {
    cwd: from,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return { child, serverPid: Number(line) };
}

describe('embedded PostgreSQL', () => {
  test('listens on its socket only, keeps its data over a stop, and commits to the disk', async () => {
    const first = await start(dir);
    await query(first.address, 'CREATE TABLE kept AS SELECT 42 AS answer');
    assert.deepEqual(
      await query(
        first.address,
        `SELECT name, setting FROM pg_settings
         WHERE name IN ('listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding', 'lc_messages')
         ORDER BY name`,
      ),
      [
        { name: 'fsync', setting: 'on' },
        { name: 'full_page_writes', setting: 'on' },
        { name: 'lc_messages', setting: 'C' },
        { name: 'listen_addresses', setting: '' },
        { name: 'server_encoding', setting: 'UTF8' },
        { name: 'synchronous_commit', setting: 'on' },
      ],
    );
    await first.stop();
    assert.deepEqual(clusterProcesses(first.places.cluster), []);
    const second = await start(dir);
    assert.deepEqual(await query(second.address, 'SELECT answer FROM kept'), [{ answer: 42 }]);
  });

  test('does not run as root', async () => {
    const postgres = await start(dir);
    const status = readFileSync(`/proc/${postgres.pid}/status`, 'utf8');
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    assert.notEqual(uid, 0);
    assert.equal(uid, postgres.places.user?.uid ?? process.getuid?.());
    // Dropped from root it keeps none of root's groups; under an ordinary user it has that user's.
    const groups = /^Groups:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).filter(Boolean).map(Number);
    const own = process.getuid?.() === 0 ? [] : process.getgroups?.();
    assert.deepEqual(groups?.toSorted(), own?.toSorted());
  });

  test('a server that outlived its killed owner is adopted', async () => {
    const { child, serverPid } = await startElsewhere(dir);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const postgres = await start(dir);
    assert.equal(postgres.pid, serverPid);
    assert.deepEqual(await query(postgres.address, 'SELECT 1 AS one'), [{ one: 1 }]);
  });

  test('a server that was killed itself is started again and has every commit', async () => {
    const postgres = await start(dir);
    await query(postgres.address, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    const before = postgres.pid!;
    process.kill(before, 'SIGKILL');
    await until(async () => {
      if (postgres.pid === undefined || postgres.pid === before) return false;
      const rows = await query(postgres.address, 'SELECT count(*)::int AS n FROM kept').catch(() => []);
      return rows[0]?.n === 1000;
    });
  });

  test('owner and server both killed: the next start recovers', async () => {
    const { child, serverPid } = await startElsewhere(dir);
    child.kill('SIGKILL');
    process.kill(serverPid, 'SIGKILL');
    await once(child, 'exit');
    // Until it has died, the next owner may adopt it, and starts it again then.
    await until(() => !clusterProcesses(choosePlaces(dir).cluster).includes(serverPid));
    const postgres = await start(dir);
    assert.notEqual(postgres.pid, serverPid);
    assert.deepEqual(await query(postgres.address, 'SELECT 1 AS one'), [{ one: 1 }]);
  });

  test('a stale process id file that names a living stranger does not stop the start', async () => {
    const first = await start(dir);
    const pidFile = join(first.places.cluster, 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await first.stop();
    const identity = first.places.user;
    const stranger = spawn('sleep', ['60'], identity ? { ...identity } : {});
    writeFileSync(pidFile, content.replace(/^\d+/, String(stranger.pid)), { mode: 0o600 });
    if (identity) chownSync(pidFile, identity.uid, identity.gid);
    const second = await start(dir);
    assert.notEqual(second.pid, stranger.pid);
    assert.deepEqual(await query(second.address, 'SELECT 1 AS one'), [{ one: 1 }]);
    stranger.kill();
  });

  test('a start that was killed inside initdb leaves nothing in the way', async () => {
    const { home } = choosePlaces(ensureDataDir(dir));
    mkdirSync(join(home, 'data.new', 'base'), { recursive: true });
    mkdirSync(join(home, 'postgresql-1.2.3.999'));
    const postgres = await start(dir);
    assert.deepEqual(await query(postgres.address, 'SELECT 1 AS one'), [{ one: 1 }]);
    assert.equal(existsSync(join(home, 'data.new')), false);
    assert.equal(existsSync(join(home, 'postgresql-1.2.3.999')), false);
  });

  test('two data directories are two servers', async () => {
    const [one, two] = await Promise.all([start(join(dir, 'one')), start(join(dir, 'two'))]);
    await query(one.address, 'CREATE TABLE only_one ()');
    assert.notEqual(one.pid, two.pid);
    assert.deepEqual(await query(two.address, "SELECT to_regclass('only_one') AS found"), [{ found: null }]);
    await one.stop();
    assert.deepEqual(await query(two.address, 'SELECT 1 AS one'), [{ one: 1 }]);
  });

  test('a path that a shell would change is refused', async () => {
    for (const name of ['a"b', 'a$b', 'a`b', 'a\\b'])
      await assert.rejects(start(join(dir, name)), { code: 'POSTGRES_START_FAILED', where: 'dataDir' });
  });

  test('a long path with spaces and commas: the socket goes to a short one', async () => {
    const dataDir = join(dir, `a long, it's a path ${'x'.repeat(80)}`);
    const postgres = await start(dataDir);
    assert.ok(!postgres.address.host.startsWith(dataDir));
    assert.deepEqual(await query(postgres.address, 'SELECT 1 AS one'), [{ one: 1 }]);
    await postgres.stop();
    rmSync(postgres.address.host, { recursive: true, force: true });
  });

  test('a broken cluster is reported with the reason PostgreSQL gives', async () => {
    const first = await start(dir);
    await first.stop();
    rmSync(join(first.places.cluster, 'global'), { recursive: true });
    await assert.rejects(start(dir), { code: 'POSTGRES_START_FAILED', message: /global/ });
  });
});

if (root)
  describe('embedded PostgreSQL under root', () => {
    test('a data directory in a closed home: the cluster lies outside and follows a move', async () => {
      const outside = join(dir, 'outside');
      const home = mkdtempSync(join(tmpdir(), 'callreel-closed-'));
      chmodSync(home, 0o700);
      try {
        const first = await start(join(home, 'data'), outside);
        assert.ok(first.places.cluster.startsWith(outside));
        await query(first.address, 'CREATE TABLE kept AS SELECT 42 AS answer');
        await first.stop();
        renameSync(join(home, 'data'), join(home, 'moved'));
        const second = await start(join(home, 'moved'), outside);
        assert.notEqual(second.places.cluster, first.places.cluster);
        assert.deepEqual(await query(second.address, 'SELECT answer FROM kept'), [{ answer: 42 }]);
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    });

    test('an ordinary user runs it as itself', async () => {
      const dataDir = join(dir, 'ordinary');
      mkdirSync(dataDir);
      chownSync(dataDir, nobody, nobody);
      const { child, serverPid } = await startElsewhere(
        dataDir,
        nobody,
        reachableProject(join(dir, 'project')),
      );
      assert.match(
        readFileSync(`/proc/${serverPid}/status`, 'utf8'),
        new RegExp(`^Uid:\\s+${nobody}\\b`, 'm'),
      );
      child.stdin!.write('stop');
      await once(child, 'exit');
      // Whoever inherits the server's process reaps it in its own time.
      const deadlineUs = systemClock.monotonicUs() + 30e6;
      while (existsSync(`/proc/${serverPid}`) && systemClock.monotonicUs() < deadlineUs)
        await sleep(systemClock, 20);
      assert.equal(existsSync(`/proc/${serverPid}`), false);
    });
  });
