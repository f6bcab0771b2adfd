import { formatNativeEvent } from './api/native-events.ts';
import { type Credentials, loadCredentials } from './auth/credentials.ts';
import { LinkSigner } from './auth/signed-link.ts';
import { Directory } from './call/directory.ts';
import { finishPreviousRun } from './call/restart.ts';
import { AddressGuard } from './callbacks/address-guard.ts';
import { CallbackClient } from './callbacks/callback-client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { startDatabase } from './database/database.ts';
import { applyConfiguredNumbers } from './database/numbers.ts';
import type { Db } from './database/schema.ts';
import { warmUpEnds } from './database/warm-up.ts';
import { type DeliveryTime, startJobs, testClockSession } from './delivery/jobs.ts';
import { Outbox } from './delivery/outbox.ts';
import { type Signer, webhookSender } from './delivery/webhooks.ts';
import { type DeliveryFoundation, deliveryFoundation } from './destinations.ts';
import { formatSiftEvent } from './dialects/sift/events.ts';
import { callbackRequests } from './dialects/signalwire/callback-form.ts';
import { signalwireFormatters } from './dialects/signalwire/events.ts';
import { identityOf, type SignalwireIdentity } from './dialects/signalwire/identity.ts';
import { RecordingLinks } from './dialects/signalwire/recording-link.ts';
import { signatureHeaders } from './dialects/signalwire/signature.ts';
import { type SinchApplications, StoredSinchApplications } from './dialects/sinch/application.ts';
import { sealDocument } from './dialects/sinch/document-secrets.ts';
import { formatSinchEvent } from './dialects/sinch/events.ts';
import { signedHeaders } from './dialects/sinch/signature.ts';
import { StoreLinks } from './dialects/sinch/store-links.ts';
import { signalwireSigningKey, webhookSecret } from './kept-secrets.ts';
import { createLogger, type Logger } from './logger.ts';
import { DialPlans } from './routing/dial-plan.ts';
import type { Secret } from './secret.ts';
import { loadMasterKey, type MasterKey } from './spool/keys.ts';
import { spoolDirectoryOf } from './spool/layout.ts';
import { warmUpManifests } from './spool/manifest-warm-up.ts';
import type { SpeechToText } from './transcription/speech-to-text.ts';
import { TranscriptRows } from './transcripts/transcript-rows.ts';
import { endPreviousWorkers } from './worker/previous-workers.ts';

/** What a test replaces. */
export interface Surroundings {
  clock?: Clock;
  log?: Logger;
  /** Lets only the delivery of events live through days while calls go on in real time. */
  deliveryTime?: DeliveryTime;
  /** In place of the configured engine. */
  speechToText?: SpeechToText;
}

/** What everything else stands on: the data directory, the database, and the way to users' URLs. */
export interface Foundation {
  clock: Clock;
  log: Logger;
  db: Db;
  /** For a connection of the database, now. */
  waitingQueries(): number;
  /** Of the query that has waited for one for longest, now. */
  longestQueryWaitMs(): number;
  credentials: Credentials;
  masterKey: MasterKey;
  spoolDir: string;
  /** Name of this node in the rows of its recordings. */
  node: string;
  callbacks: CallbackClient;
  outbox: Outbox;
  directory: Directory;
  dialPlans: DialPlans;
  /** Signs the links to files. */
  links: LinkSigner;
  /** Base of every URL given out; empty until the server listens. */
  publicUrl(): string;
  listening(publicUrl: string): void;
  signalwire: SignalwireFoundation;
  sinch: SinchFoundation;
  delivery: DeliveryFoundation;
  transcripts: TranscriptRows;
}

/** What the Sinch dialect knows of itself before there are calls. */
export interface SinchFoundation {
  applications: SinchApplications;
  storeLinks: StoreLinks;
}

/** What the SignalWire dialect knows of itself before there are calls. */
export interface SignalwireFoundation {
  identity: SignalwireIdentity;
  links: RecordingLinks;
  signingKey: Secret;
  statusUrl: string | undefined;
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
  const secret = webhookSecret(config);
  const links = LinkSigner.fromDataDir(dataDir);
  const signalwire: SignalwireFoundation = {
    identity: identityOf(credentials.accountId, node),
    links: new RecordingLinks(links, clock),
    signingKey: signalwireSigningKey(config),
    statusUrl: config.signalwire.statusUrl,
  };
  const sinch: SinchFoundation = {
    applications: new StoredSinchApplications({ db, credentials, masterKey }),
    storeLinks: new StoreLinks(links, clock),
  };
  const deliveryClock = deliveryTime?.clock ?? clock;
  const signatures: Readonly<Record<string, Signer>> = {
    signalwire: (url, body) => signatureHeaders(signalwire.signingKey, url, body),
    sinch: async (url, body, signer = '') => {
      const application = await sinch.applications.find(signer);
      return application ? signedHeaders(application, url, body, deliveryClock.unixMs()) : {};
    },
  };
  const requests = callbackRequests(signalwire.signingKey);
  const outbox = await Outbox.start({
    db,
    boss: jobs,
    send: webhookSender({ client: callbacks, secret, clock: deliveryClock, signatures, requests }),
    clock: deliveryClock,
    logger: log,
    exclusive: config.database.url === undefined,
  });
  parts.defer(() => outbox.stop());
  warmUpManifests();
  // Nobody waits for that.
  const warm = warmUpEnds(db).catch((error: unknown) =>
    log.warn({ error }, 'the database was not warmed up'),
  );
  parts.defer(() => warm);

  const formatters = {
    sift: formatSiftEvent,
    native: formatNativeEvent,
    ...signalwireFormatters({ clock, ...signalwire }),
    sinch: formatSinchEvent,
  };
  const delivery = deliveryFoundation(config, masterKey, node, {
    clock,
    deliveryClock: deliveryTime?.clock ?? clock,
  });
  const deliveries = delivery;
  const transcripts = new TranscriptRows(node, delivery.clock);
  const kept = { deliveries, transcripts };
  const directory = new Directory({ clock, log, db, outbox, spoolDir, node, formatters, ...kept });
  const numbers = config.numbers.map((number) =>
    number.dialect === 'sinch' && number.defaultRoutine !== undefined
      ? { ...number, defaultRoutine: sealDocument(number.defaultRoutine, masterKey) }
      : number,
  );
  await applyConfiguredNumbers(db, credentials.accountId, numbers);
  await endPreviousWorkers(spoolDir, clock);
  await finishPreviousRun({ clock, log, db, directory, spoolDir, masterKey, node });
  delivery.credentials.clear();
  const dialPlans = new DialPlans({
    db,
    clock,
    allowCallsFrom: config.sip.allowCallsFrom,
    country: config.sip.country,
  });
  let publicUrl = '';
  return {
    ...{ clock, log, db, credentials, masterKey, spoolDir, node, callbacks, outbox, directory, dialPlans },
    ...{ links, signalwire, sinch, delivery, transcripts },
    waitingQueries: () => database.pool.waitingCount,
    longestQueryWaitMs: () => database.waits.longestMs,
    publicUrl: () => publicUrl,
    listening: (url) => {
      publicUrl = url;
    },
  };
}
