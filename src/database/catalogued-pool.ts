import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { ConnectionWaits } from './connection-waits.ts';

/** How long one query may take, whatever it waits for. */
export interface QueryLimit {
  clock: Clock;
  limitMs: number;
}

/**
 * A pool as Kysely takes it, without cursors. Where a connection is not to be had, dies under its query, or is given up
 * with a query that takes too long, CallreelError DATABASE_UNAVAILABLE is thrown, also of a server that says it is
 * going down or short of something. Whatever else the server says of a query is thrown as it is.
 */
export function cataloguedPool(pool: pg.Pool, limit?: QueryLimit, waits?: ConnectionWaits): PostgresPool {
  const known = new WeakMap<pg.PoolClient, CataloguedClient>();
  return {
    options: pool.options,
    async connect() {
      const connection = pool.connect();
      const client = await (waits?.during(connection) ?? connection).catch((cause: unknown) => {
        throw unavailable(cause);
      });
      // Kysely knows a connection by its object.
      const catalogued = known.get(client) ?? new CataloguedClient(client, limit);
      known.set(client, catalogued);
      return catalogued as unknown as PostgresPoolClient;
    },
    end: () => pool.end(),
  };
}

class CataloguedClient {
  readonly #client: pg.PoolClient;
  readonly #limit: QueryLimit | undefined;
  #isLost = false;
  #isGivenUp = false;

  constructor(client: pg.PoolClient, limit: QueryLimit | undefined) {
    this.#client = client;
    this.#limit = limit;
    const lost = () => {
      this.#isLost = true;
    };
    // The pool listens to idle ones only: where one in use breaks between two queries, the process would end.
    client.on('error', lost).on('end', lost);
  }

  async query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    const timer = this.#limit?.clock.after(this.#limit.limitMs, () => this.#giveUp());
    try {
      return await this.#client.query(text, values as unknown[]);
    } catch (error) {
      // It may be closed a moment later: nobody is to be given it meanwhile.
      if (error instanceof pg.DatabaseError && isSaidOfSession(error)) this.#isLost = true;
      throw this.#isUnavailable(error) ? unavailable(error) : error;
    } finally {
      timer?.cancel();
    }
  }

  release(destroy = false): void {
    if (!this.#isGivenUp) this.#client.release(destroy || this.#isLost);
  }

  /** Nobody can say what it is still at: it is closed, by which its query and all after that fail, and not used again. */
  #giveUp(): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#isLost = true;
    this.#client.release(true);
  }

  #isUnavailable(error: unknown): boolean {
    if (error instanceof pg.DatabaseError) return isSaidOfServer(error);
    return this.#isLost;
  }
}

/** No connection any more (class 08 of its error codes), or going down. */
function isSaidOfSession({ code = '' }: pg.DatabaseError): boolean {
  return code.startsWith('08') || ['57P01', '57P02', '57P03'].includes(code);
}

/** The same, or short of memory, disk or connections (class 53). */
function isSaidOfServer(error: pg.DatabaseError): boolean {
  return isSaidOfSession(error) || error.code?.startsWith('53') === true;
}

/** Whom it is told may be a stranger to what the database is and where. */
function unavailable(cause: unknown): CallreelError {
  const message =
    cause instanceof pg.DatabaseError ? 'the database cannot serve now' : 'the database does not answer';
  return new CallreelError('DATABASE_UNAVAILABLE', message, { cause });
}
