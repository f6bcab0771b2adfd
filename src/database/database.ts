import { availableParallelism } from 'node:os';
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { type Clock, sleep } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Secret } from '../secret.ts';
import { cataloguedPool, type QueryLimit } from './catalogued-pool.ts';
import { ConnectionWaits } from './connection-waits.ts';
import { ensureDataDir, lockDataDir } from './data-dir.ts';
import { keepAlive } from './keep-alive.ts';
import { migrate, schemaName } from './migrate.ts';
import { Postgres } from './postgres.ts';
import type { Db, Schema } from './schema.ts';

export interface DatabaseOptions {
  dataDir: string;
  /** A PostgreSQL server to use instead of the embedded one. */
  url?: Secret | undefined;
  clock: Clock;
  logger: Logger;
  /** Run-time options of every connection, as libpq's `options`. */
  sessionOptions?: string | undefined;
}

export interface Database {
  readonly db: Db;
  /** For pg-boss, which shares it. */
  readonly pool: pg.Pool;
  /** Of `db`. */
  readonly waits: ConnectionWaits;
  /** The embedded server, when there is one. */
  readonly postgres: Postgres | undefined;
  /** Closes connections, stops the embedded server and gives the data directory free. */
  close(): Promise<void>;
}

export const maxConnections = 20;
/**
 * To the embedded server, which shares this machine's processors: more of them only wait for each other. They are kept,
 * so that many calls that end at once find sessions that know the tables.
 */
const embeddedConnections = {
  max: Math.min(maxConnections, Math.max(8, 2 * availableParallelism())),
  idleTimeoutMillis: 0,
};

const connectTimeoutMs = 10_000;
const firstConnectionLimitMs = 30_000;
const retryMs = 500;
/** Of one query, also where it waits for what another one has locked. No query of ours takes as long by itself. */
const queryLimitMs = 30_000;
/** A host that is gone says nothing: without asking nobody would find out while waiting for an answer. */
const keepAliveAfterMs = 30_000;

const int8 = 20;

/**
 * Takes the data directory (one process each), starts or adopts the embedded PostgreSQL unless a `url` is given, and
 * brings the tables up to date.
 * @throws CallreelError DATA_DIR_IN_USE, POSTGRES_START_FAILED, PLATFORM_UNSUPPORTED, DATABASE_UNAVAILABLE
 */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const dataDir = ensureDataDir(options.dataDir);
  const lock = lockDataDir(dataDir);
  let postgres: Postgres | undefined;
  let pool: pg.Pool | undefined;
  const close = async () => {
    // What PostgreSQL says to connections on their way out is no news.
    pool?.removeAllListeners('error').on('error', () => undefined);
    await pool?.end();
    await postgres?.stop();
    lock.release();
  };
  try {
    if (!options.url) postgres = await Postgres.start({ ...options, dataDir });
    const address = postgres
      ? { ...postgres.address, ...embeddedConnections }
      : { connectionString: options.url?.reveal() };
    const { sessionOptions } = options;
    pool = openPool(sessionOptions ? { ...address, options: sessionOptions } : address, options.logger);
    const waits = new ConnectionWaits(options.clock);
    const db = openDb(pool, { clock: options.clock, limitMs: queryLimitMs }, waits);
    await keepAlive(firstConnection(pool, options.clock));
    // Of a large table it takes its time.
    await migrate(openDb(pool));
    if (postgres) await openAll(pool);
    return { db, pool, waits, postgres, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A pool whose bigint columns are numbers: ours stay far below 2^53. */
export function openPool(address: pg.PoolConfig, logger: Logger): pg.Pool {
  const pool = new pg.Pool({
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    application_name: 'callreel',
    ...address,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // An idle connection that breaks is replaced at the next query; without a listener the process would end.
  pool.on('error', (error) => logger.warn({ err: error }, 'database connection lost'));
  return pool;
}

/**
 * Whose queries throw CallreelError DATABASE_UNAVAILABLE where the database is not to be had (`catalogued-pool.ts`).
 * @param limit none: a query may take as long as it wants
 */
export function openDb(pool: pg.Pool, limit?: QueryLimit, waits?: ConnectionWaits): Db {
  const plugins = [new CamelCasePlugin({ maintainNestedObjectKeys: true })];
  const dialect = new PostgresDialect({ pool: cataloguedPool(pool, limit, waits) });
  return new Kysely<Schema>({ dialect, plugins }).withSchema(schemaName);
}

/** Those that are kept are there before the first call. */
async function openAll(pool: pg.Pool): Promise<void> {
  await Promise.all(Array.from({ length: embeddedConnections.max }, () => pool.query('SELECT 1')));
}

async function firstConnection(pool: pg.Pool, clock: Clock): Promise<void> {
  const deadlineUs = clock.monotonicUs() + firstConnectionLimitMs * 1000;
  for (;;) {
    try {
      await pool.query('SELECT 1');
      return;
    } catch (cause) {
      if (clock.monotonicUs() > deadlineUs || isRefusal(cause))
        throw new CallreelError('DATABASE_UNAVAILABLE', `the database does not answer: ${reason(cause)}`, {
          cause,
        });
      await sleep(clock, retryMs);
    }
  }
}

/** Wrong password, role or database: waiting does not help. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  return code.startsWith('28') || code === '3D000';
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}
