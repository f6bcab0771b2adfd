import { realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openPool } from '../../src/database/database.ts';
import { postgresRole } from '../../src/database/postgres-command.ts';
import { choosePlaces, socketPort } from '../../src/database/postgres-places.ts';
import { silentLogger } from '../../src/logger.ts';

/** One connection to the embedded database of a running server, beside it. */
export function openBeside(dataDir: string): ReturnType<typeof openPool> {
  const { socketDir: host } = choosePlaces(realpathSync(dataDir));
  const address = { host, port: socketPort, user: postgresRole, database: 'postgres', max: 1 };
  return openPool(address, silentLogger);
}

/** Takes the embedded database's socket away and ends its sessions; it is given back at the end. */
export class DatabaseCutOff implements Disposable {
  readonly #socket: string;
  #isAway = true;

  private constructor(socket: string) {
    this.#socket = socket;
    renameSync(socket, `${socket}.away`);
  }

  static async of(dataDir: string): Promise<DatabaseCutOff> {
    const { socketDir } = choosePlaces(realpathSync(dataDir));
    const pool = openBeside(dataDir);
    await pool.query('SELECT 1');
    const cutOff = new DatabaseCutOff(join(socketDir, `.s.PGSQL.${socketPort}`));
    await pool.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    await pool.end();
    return cutOff;
  }

  restore(): void {
    if (this.#isAway) renameSync(`${this.#socket}.away`, this.#socket);
    this.#isAway = false;
  }

  [Symbol.dispose](): void {
    this.restore();
  }
}
