import { saveNoChannels } from './channels.ts';
import { endNothing } from './ends.ts';
import { insertNoEvents } from './events.ts';
import type { Db } from './schema.ts';

/** What ends at once is written by few of them. */
const warmConnections = 4;

/**
 * Writes no end of no call by some of the database's connections: a session that sees a table for the first time takes
 * several times as long, and so does code of ours that runs for the first time. Many calls may end together.
 */
export async function warmUpEnds(db: Db): Promise<void> {
  const one = () =>
    db.transaction().execute(async (trx) => {
      await endNothing(trx);
      await saveNoChannels(trx);
      await insertNoEvents(trx);
    });
  await Promise.all(Array.from({ length: warmConnections }, one));
}
