import { formatNativeEvent } from './api/native-events.ts';
import { type Credentials, loadCredentials } from './auth/credentials.ts';
import { keptSecret } from './auth/kept-secret.ts';
import { Directory } from './call/directory.ts';
import { finishPreviousRun } from './call/restart.ts';
import { AddressGuard } from './callbacks/address-guard.ts';
import { CallbackClient } from './callbacks/callback-client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { startDatabase } from './database/database.ts';
import { applyConfiguredNumbers } from './database/numbers.ts';
import type { Db } from './database/schema.ts';
import { type DeliveryTime, startJobs, testClockSession } from './delivery/jobs.ts';
import { Outbox } from './delivery/outbox.ts';
import { newWebhookSecret, webhookSender } from './delivery/webhooks.ts';
import { formatSiftEvent } from './dialects/sift/events.ts';
import { createLogger, type Logger } from './logger.ts';
import { DialPlans } from './routing/dial-plan.ts';
import { loadMasterKey, type MasterKey } from './spool/keys.ts';
import { spoolDirectoryOf } from './spool/layout.ts';
import { endPreviousWorkers } from './worker/previous-workers.ts';

/** What a test replaces. */
export interface Surroundings {
  clock?: Clock;
  log?: Logger;
  /** Lets only the delivery of events live through days while calls go on in real time. */
  deliveryTime?: DeliveryTime;
}

/** What everything else stands on: the data directory, the database, and the way to users' URLs. */
export interface Foundation {
  clock: Clock;
  log: Logger;
  db: Db;
  credentials: Credentials;
  masterKey: MasterKey;
  spoolDir: string;
  /** Name of this node in the rows of its recordings. */
  node: string;
  callbacks: CallbackClient;
  outbox: Outbox;
  directory: Directory;
  dialPlans: DialPlans;
}

/** Name of this node in the rows of its recordings. */
const node = 'local';

/**
 * Opens the data directory and the database, and finishes what the run before left.
 * @param parts takes what must be closed, in the order of opening
 */
export async function openFoundation(
  config: Config,
  surroundings: Surroundings,
  parts: AsyncDisposableStack,
): Promise<Foundation> {
  const { clock = systemClock, log = createLogger(config.log.level), deliveryTime } = surroundings;
  const { dataDir } = config;
  const database = await startDatabase({
    dataDir,
    url: config.database.url,
    clock,
    logger: log,
    sessionOptions: deliveryTime && testClockSession,
  });
  parts.defer(() => database.close());
  const { db } = database;
  const credentials = loadCredentials(dataDir, config);
  const masterKey = loadMasterKey(dataDir);
  const spoolDir = spoolDirectoryOf(dataDir);

  const guard = new AddressGuard(config.callbacks.allow);
  const callbacks = new CallbackClient({ guard, clock, ...config.callbacks });
  parts.defer(() => callbacks.close());
  const jobs = await startJobs(database.pool, log, deliveryTime?.jobs);
  parts.defer(() => jobs.stop({ graceful: false }));
  const secret = config.webhooks.secret ?? keptSecret(dataDir, 'webhook-secret', newWebhookSecret);
  const outbox = await Outbox.start({
    db,
    boss: jobs,
    send: webhookSender({ client: callbacks, secret, clock: deliveryTime?.clock ?? clock }),
    clock: deliveryTime?.clock ?? clock,
    logger: log,
    exclusive: config.database.url === undefined,
  });
  parts.defer(() => outbox.stop());

  const formatters = { sift: formatSiftEvent, native: formatNativeEvent };
  const directory = new Directory({ clock, log, db, outbox, spoolDir, node, formatters });
  await applyConfiguredNumbers(db, credentials.accountId, config.numbers);
  await endPreviousWorkers(spoolDir, clock);
  await finishPreviousRun({ clock, log, db, directory, spoolDir, masterKey, node });
  const dialPlans = new DialPlans({
    db,
    clock,
    allowCallsFrom: config.sip.allowCallsFrom,
    country: config.sip.country,
  });
  return { clock, log, db, credentials, masterKey, spoolDir, node, callbacks, outbox, directory, dialPlans };
}
