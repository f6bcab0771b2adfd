import { realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/clock.ts';
import { choosePlaces } from '../../src/database/postgres-places.ts';
import { clusterProcesses } from '../../src/database/postgres-process.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import {
  type CpuSeconds,
  cpuSeconds,
  cpuSecondsSince,
  processTree,
  pssMB,
  threadSeconds,
} from './process-usage.ts';
import { readTicks, type TicksByLateness } from './tick-lateness.ts';

export interface BenchServerOptions {
  /** Numbers, each with its routine (docs/dialects/sift.md). */
  routines: ReadonlyMap<string, unknown[]>;
  /** Of a stereo file that is written along with each recording; without it there is the spool alone. */
  files?: FileFormat | undefined;
  settings?: Record<string, string>;
  /** Of a run before, whose recordings are there; it stays when the server ends. */
  dataDir?: string;
  /** As `ServerProcessOptions.prefix`. */
  prefix?: readonly string[];
}

/** Settings by which it refuses calls as the product does by itself: a variable that is empty is none. */
export const productAdmission = {
  CALLREEL_ADMISSION_MAX_LATE_TICK_SHARE: '',
  CALLREEL_ADMISSION_MAX_SIGNALLING_BUSY_SECONDS: '',
};

const stopTimeoutMs = 300_000;
/** Garbage of the start goes within some seconds: until memory fell by less than this from one look to the next. */
const restedMB = 1;
const restLookMs = 5000;
const leastRestLooks = 2;
const mostRestLooks = 12;

export type FileFormat = 'wav' | 'mp3';

export interface ServerUsage {
  /** Of the server and its media workers, without the database. */
  cpuSeconds: number;
  databaseCpuSeconds: number;
  /** Of the threads that used most, the busiest first. */
  threads: { thread: string; cpuSeconds: number }[];
}

/** Without the database. */
export interface MemoryMB {
  server: number;
  workers: number;
}

export interface UsageMark {
  server: CpuSeconds;
  database: CpuSeconds;
  threads: Map<string, number>;
}

/** A Callreel in processes of its own, with its embedded database, whose work is measured. */
export class BenchServer implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly dataDir: string;
  readonly #cluster: string;
  readonly #keepsData: boolean;

  private constructor(server: ServerProcess, keepsData: boolean) {
    this.process = server;
    this.#keepsData = keepsData;
    this.dataDir = server.dataDir;
    this.#cluster = choosePlaces(realpathSync(server.dataDir)).cluster;
  }

  static async start(options: BenchServerOptions): Promise<BenchServer> {
    const { routines, files, settings = {}, dataDir = makeTemporaryDir(), prefix } = options;
    const server = await ServerProcess.start({
      dataDir,
      ...(prefix && { prefix }),
      numbers: [...routines].map(([number, defaultRoutine]) => ({ number, defaultRoutine })),
      settings: {
        CALLREEL_DRAIN_SECONDS: '0',
        // What is too much is to be seen, not refused; `productAdmission` for what refuses.
        CALLREEL_ADMISSION_MAX_LATE_TICK_SHARE: '0',
        ...(files && {
          CALLREEL_RECORDING_FILES_DIRECTORY: join(dataDir, 'files'),
          CALLREEL_RECORDING_FILES_FORMAT: files,
          CALLREEL_RECORDING_FILES_STEREO: 'true',
        }),
        ...settings,
      },
    });
    return new BenchServer(server, options.dataDir !== undefined);
  }

  /** The native API; a JSON body each way. @throws Error for any other answer than 2xx */
  async api<Body>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Body> {
    const response = await fetch(this.process.publicUrl + path, {
      method,
      headers: {
        authorization: this.process.authorization,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  /** Of its media transport. */
  get driver(): string {
    return String(this.#started?.driver);
  }

  /** `on`, or why its packets are not steered; undefined with a driver that steers none. */
  get steering(): string | undefined {
    return this.#started?.steering as string | undefined;
  }

  /** Why it is not the best one. */
  get driverNote(): string | undefined {
    return this.#driverLine?.driverNote as string | undefined;
  }

  /** `GET /metrics` */
  async metrics(): Promise<string> {
    const { publicUrl, authorization } = this.process;
    return await (await fetch(`${publicUrl}/metrics`, { headers: { authorization } })).text();
  }

  /** How late its media clock was, so far. */
  async ticks(): Promise<TicksByLateness> {
    return readTicks(await this.metrics());
  }

  mark(): UsageMark {
    return {
      server: cpuSeconds(this.#pids),
      database: cpuSeconds(clusterProcesses(this.#cluster)),
      threads: this.#threads(),
    };
  }

  usageSince(mark: UsageMark): ServerUsage {
    const threads = [...this.#threads()]
      .map(([thread, seconds]) => ({ thread, cpuSeconds: seconds - (mark.threads.get(thread) ?? 0) }))
      .filter(({ cpuSeconds: seconds }) => seconds > 0)
      .toSorted((a, b) => b.cpuSeconds - a.cpuSeconds);
    return {
      cpuSeconds: cpuSecondsSince(mark.server, this.#pids),
      databaseCpuSeconds: cpuSecondsSince(mark.database, clusterProcesses(this.#cluster)),
      threads,
    };
  }

  get memoryMB(): MemoryMB {
    const workers = new Set(this.process.workerPids);
    return {
      server: pssMB(this.#pids.filter((pid) => !workers.has(pid))),
      workers: pssMB([...workers]),
    };
  }

  /** Once what the start left is given back: what calls are compared with. @throws Error where that takes more than a minute */
  async restedMemoryMB(): Promise<MemoryMB> {
    let before = this.memoryMB;
    for (let look = 0; look < mostRestLooks; look++) {
      await sleep(systemClock, restLookMs);
      const now = this.memoryMB;
      // The first looks are of a server whose collections are still to come.
      if (look >= leastRestLooks && before.server + before.workers - now.server - now.workers < restedMB)
        return now;
      before = now;
    }
    throw new Error('the memory of a server without a call goes on to fall');
  }

  /** As an operator stops it; killed where it does not end by that. @returns how it ended */
  async stop(): Promise<{ code: number | null; signal: string | null }> {
    this.process.signal('SIGTERM');
    const patience = systemClock.after(stopTimeoutMs, () => this.process.signal('SIGKILL'));
    return await this.process.exited.finally(() => patience.cancel());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.process[Symbol.asyncDispose]();
    if (!this.#keepsData) rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** What was said last: it may change while the server runs. */
  get #driverLine(): Record<string, unknown> | undefined {
    return this.process.log.findLast(({ driver }) => driver !== undefined);
  }

  get #started(): Record<string, unknown> | undefined {
    return this.process.log.find(({ msg }) => msg === 'media worker runs');
  }

  get #pids(): number[] {
    const database = new Set(clusterProcesses(this.#cluster));
    return processTree(this.process.pid).filter((pid) => !database.has(pid));
  }

  #threads(): Map<string, number> {
    const workers = new Set(this.process.workerPids);
    const named = new Map<string, number>();
    for (const pid of this.#pids)
      for (const [thread, seconds] of threadSeconds(pid)) {
        const name = `${workers.has(pid) ? 'media worker' : 'server'}: ${thread}`;
        named.set(name, (named.get(name) ?? 0) + seconds);
      }
    return named;
  }
}
