import { realpathSync } from 'node:fs';
import { openDb, openPool } from '../../src/database/database.ts';
import { postgresRole } from '../../src/database/postgres-command.ts';
import { choosePlaces, socketPort } from '../../src/database/postgres-places.ts';
import { listRecordingsOfConversation } from '../../src/database/recordings.ts';
import type { Connection, Conversation, Db, Event, Recording, SipLog } from '../../src/database/schema.ts';
import { silentLogger } from '../../src/logger.ts';

/** A look into the embedded database of a running server, beside it. */
export class DirectoryRows {
  readonly #pool: ReturnType<typeof openPool>;
  readonly #db: Db;

  constructor(dataDir: string) {
    const host = choosePlaces(realpathSync(dataDir)).socketDir;
    const address = { host, port: socketPort, user: postgresRole, database: 'postgres', max: 1 };
    this.#pool = openPool(address, silentLogger);
    this.#db = openDb(this.#pool);
  }

  recordings(conversationId: string): Promise<Recording[]> {
    return listRecordingsOfConversation(this.#db, conversationId);
  }

  events(conversationId: string): Promise<Event[]> {
    return this.#db.selectFrom('events').selectAll().where('conversationId', '=', conversationId).execute();
  }

  /** In the order of their commits inside each conversation. */
  allEvents(): Promise<Event[]> {
    return this.#db.selectFrom('events').selectAll().orderBy('sequence').execute();
  }

  /** Every row of every table, as text. */
  async everything(): Promise<string> {
    const { rows: tables } = await this.#pool.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await this.#pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
      for (const { row } of rows) texts.push(`${name} ${row}`);
    }
    return texts.join('\n');
  }

  conversations(): Promise<Conversation[]> {
    return this.#db.selectFrom('conversations').selectAll().execute();
  }

  connections(): Promise<Connection[]> {
    return this.#db.selectFrom('connections').selectAll().execute();
  }

  sipLogs(connectionId: string): Promise<SipLog[]> {
    return this.#db.selectFrom('sipLogs').selectAll().where('connectionId', '=', connectionId).execute();
  }

  /** Nobody reads or writes connections until the returned function is called. */
  async stall(): Promise<() => Promise<void>> {
    const client = await this.#pool.connect();
    await client.query('BEGIN; LOCK TABLE callreel.connections IN ACCESS EXCLUSIVE MODE');
    return async () => {
      await client.query('COMMIT');
      client.release();
    };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
