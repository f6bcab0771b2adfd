import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Clock, sleep, type Timer } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { keepAlive } from './keep-alive.ts';
import { installBinaries } from './postgres-binaries.ts';
import { cleanEnvironment, ensureCluster, postgresRole, serverArguments } from './postgres-command.ts';
import { choosePlaces, ensurePrivateDir, type PostgresPlaces, socketPort } from './postgres-places.ts';
import { clusterProcesses, findPostmaster, pidFileMisleads, postmasterOptions } from './postgres-process.ts';

/** How to reach the server, as `pg` takes it. */
export interface PostgresAddress {
  /** Directory of the Unix socket. */
  host: string;
  port: number;
  user: string;
  database: string;
}

interface PostgresOptions {
  /** Real path; the caller holds its lock. */
  dataDir: string;
  clock: Clock;
  logger: Logger;
  /** Where a cluster goes that cannot lie in the data directory. */
  outside?: string;
}

const checkPeriodMs = 500;
const maxCheckPeriodMs = 30_000;
const pollMs = 20;
/** Recovery after a power cut replays at most `max_wal_size`. */
const startLimitMs = 60_000;
const stopLimitMs = 30_000;
const maxLogBytes = 10_000_000;

/**
 * Supervises the embedded PostgreSQL. The server is a process of its own that outlives us when we are killed and is
 * adopted by the next start; when it is killed itself it is started again.
 *
 * The programs are run directly, not through pg_ctl: that one builds a shell line from paths, and takes any live
 * process for the server when a process id was reused.
 */
export class Postgres {
  readonly places: PostgresPlaces;
  readonly address: PostgresAddress;
  readonly #binaries: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #watch: Timer | undefined;
  #restart: Promise<void> | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #failedRestarts = 0;

  private constructor(places: PostgresPlaces, binaries: string, { clock, logger }: PostgresOptions) {
    this.places = places;
    this.address = { host: places.socketDir, port: socketPort, user: postgresRole, database: 'postgres' };
    this.#binaries = binaries;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Adopts the running server of this data directory or starts one, making the cluster the first time (about 2 s).
   * @throws CallreelError POSTGRES_START_FAILED, PLATFORM_UNSUPPORTED
   */
  static async start(options: PostgresOptions): Promise<Postgres> {
    const chosen = choosePlaces(options.dataDir, options.outside);
    const binaries = realpathSync(installBinaries(chosen.home, { keep: runningBinaries(chosen.cluster) }));
    return keepAlive(
      (async () => {
        await ensureCluster(chosen, binaries);
        const places = { ...chosen, cluster: realpathSync(chosen.cluster) };
        ensurePrivateDir(places.socketDir, places.user);
        const postgres = new Postgres(places, binaries, options);
        await postgres.#adoptOrLaunch();
        postgres.#scheduleCheck();
        return postgres;
      })(),
    );
  }

  /** Process id of the server, while there is one. */
  get pid(): number | undefined {
    return findPostmaster(this.places.cluster)?.pid;
  }

  /** Ends the server the fast way: open transactions are rolled back, connections closed, everything synced. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#watch?.cancel();
    this.#stopped ??= keepAlive(
      (async () => {
        await this.#restart;
        await this.#end();
      })(),
    );
    return this.#stopped;
  }

  async #adoptOrLaunch(): Promise<void> {
    const running = findPostmaster(this.places.cluster);
    if (running) {
      const expected = [
        join(this.#binaries, 'bin', 'postgres'),
        ...serverArguments(this.places).map((argument) => `"${argument}"`),
      ].join(' ');
      if (postmasterOptions(this.places.cluster) === expected) {
        await this.#untilReady(() => findPostmaster(this.places.cluster) === undefined);
        this.#logger.info({ postgresPid: running.pid }, 'PostgreSQL adopted');
        return;
      }
      this.#logger.info({ postgresPid: running.pid }, 'PostgreSQL runs with other settings and is restarted');
      await this.#end();
    }
    await this.#launch();
  }

  async #launch(): Promise<void> {
    const { log, user } = this.places;
    await this.#clearRemains();
    const logStart = rotateLog(log);
    const output = openSync(log, 'a', 0o600);
    const server = spawn(join(this.#binaries, 'bin', 'postgres'), serverArguments(this.places), {
      ...user,
      env: cleanEnvironment,
      cwd: '/',
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const state = observe(server);
    try {
      await this.#untilReady(() => state.ended);
    } catch (cause) {
      if (!state.ended) server.kill('SIGQUIT');
      const tail = readFileSync(log, 'utf8').slice(logStart).trim().split('\n').slice(-5).join(' | ');
      throw new CallreelError('POSTGRES_START_FAILED', `PostgreSQL did not start: ${tail || state.reason}`, {
        where: log,
        cause,
      });
    }
    server.unref();
    server.once('exit', () => this.#check());
    this.#logger.info({ postgresPid: server.pid }, 'PostgreSQL started');
  }

  /**
   * What a killed server left. Its children go by themselves within moments; a new server beside them would be
   * refused. Its lock files name a process id that PostgreSQL believes in as long as anything has it: another
   * program, or the dead server itself where nobody reaps it (a container without an init).
   */
  async #clearRemains(): Promise<void> {
    const { cluster, socketDir } = this.places;
    if (!(await this.#until(() => clusterProcesses(cluster).length === 0, stopLimitMs))) return;
    if (pidFileMisleads(cluster)) rmSync(join(cluster, 'postmaster.pid'), { force: true });
    for (const name of readdirSync(socketDir)) rmSync(join(socketDir, name));
  }

  async #untilReady(ended: () => boolean): Promise<void> {
    const ready = () => findPostmaster(this.places.cluster)?.ready === true;
    if ((await this.#until(() => ready() || ended(), startLimitMs)) && ready()) return;
    throw new CallreelError('POSTGRES_START_FAILED', 'PostgreSQL did not become ready', {
      where: this.places.log,
    });
  }

  async #end(): Promise<void> {
    const { cluster } = this.places;
    this.#signal('SIGINT');
    if (await this.#until(() => clusterProcesses(cluster).length === 0, stopLimitMs)) return;
    this.#logger.warn('PostgreSQL does not stop and is made to');
    this.#signal('SIGQUIT');
    await this.#until(() => clusterProcesses(cluster).length === 0, stopLimitMs);
  }

  #signal(signal: NodeJS.Signals): void {
    const server = findPostmaster(this.places.cluster);
    if (!server) return;
    try {
      process.kill(server.pid, signal);
    } catch {
      // It ended between the two lines.
    }
  }

  #scheduleCheck(): void {
    const delayMs = Math.min(checkPeriodMs * 2 ** this.#failedRestarts, maxCheckPeriodMs);
    this.#watch = this.#clock.after(delayMs, () => {
      this.#check();
      if (!this.#stopping) this.#scheduleCheck();
    });
  }

  #check(): void {
    if (this.#stopping || this.#restart || findPostmaster(this.places.cluster)) return;
    this.#logger.error('PostgreSQL ended unexpectedly and is started again');
    this.#restart = this.#relaunch();
  }

  async #relaunch(): Promise<void> {
    try {
      await this.#launch();
      this.#failedRestarts = 0;
    } catch (error) {
      this.#failedRestarts++;
      this.#logger.error({ err: error }, 'PostgreSQL could not be started again');
    } finally {
      this.#restart = undefined;
    }
  }

  /** @returns whether `condition` came true in time */
  async #until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const deadlineUs = this.#clock.monotonicUs() + limitMs * 1000;
    while (!condition()) {
      if (this.#clock.monotonicUs() > deadlineUs) return false;
      await sleep(this.#clock, pollMs);
    }
    return true;
  }
}

function observe(server: ChildProcess): { ended: boolean; reason: string } {
  const state = { ended: false, reason: 'it gave no reason' };
  server.once('error', (error) => Object.assign(state, { ended: true, reason: error.message }));
  server.once('exit', () => Object.assign(state, { ended: true }));
  return state;
}

/** @returns where the log of this run begins, in characters of an ASCII log */
function rotateLog(log: string): number {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxLogBytes) return size;
  renameSync(log, `${log}.1`);
  return 0;
}

/** An adopted server of another version still needs its programs until it is restarted. */
function runningBinaries(cluster: string): string | undefined {
  return /^(.*)\/bin\/postgres(?: |$)/.exec(postmasterOptions(cluster))?.[1];
}
