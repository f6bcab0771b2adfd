import { systemClock } from '../clock.ts';
import { openDb, openPool } from '../database/database.ts';
import { silentLogger } from '../logger.ts';
import { testDeliverer } from './test-deliverer.ts';

/** A process that delivers until it is killed: `<PostgreSQL address as JSON> <URL of the storage> <bytes of each file>`. */
const [address = '', storage = '', bytes = ''] = process.argv.slice(2);
const db = openDb(openPool(JSON.parse(address), silentLogger));
const { deliverer } = testDeliverer(db, systemClock, {
  settings: { endpoints: { s3: { url: new URL(storage) } } },
  bytesOf: () => Number(bytes),
});
await deliverer.start();
setInterval(() => undefined, 60_000);
