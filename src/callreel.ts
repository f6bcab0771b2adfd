import type { AddressInfo } from 'node:net';
import { buildApi } from './api/api.ts';
import { type Credentials, loadCredentials } from './auth/credentials.ts';
import { keptSecret } from './auth/kept-secret.ts';
import { LinkSigner } from './auth/signed-link.ts';
import { Connector } from './call/connector.ts';
import { ConversationCloser } from './call/conversation-closer.ts';
import { Conversations } from './call/conversations.ts';
import { Dialer } from './call/dialer.ts';
import { Directory } from './call/directory.ts';
import { LiveCalls } from './call/live-calls.ts';
import { MediaPlane } from './call/media-plane.ts';
import { RecordingKeys } from './call/recording-keys.ts';
import { finishPreviousRun } from './call/restart.ts';
import { AddressGuard } from './callbacks/address-guard.ts';
import { CallbackClient } from './callbacks/callback-client.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { startDatabase } from './database/database.ts';
import { applyConfiguredNumbers } from './database/numbers.ts';
import { startJobs } from './delivery/jobs.ts';
import { Outbox } from './delivery/outbox.ts';
import { newWebhookSecret, webhookSender } from './delivery/webhooks.ts';
import { formatSiftEvent } from './dialects/sift/events.ts';
import { SiftIncoming } from './dialects/sift/incoming.ts';
import { siftRoutes } from './dialects/sift/routes.ts';
import { Inbound } from './inbound.ts';
import { createLogger, type Logger } from './logger.ts';
import { Outbound } from './outbound.ts';
import { AudioDecoder } from './playback/audio-decoder.ts';
import { AudioSource } from './playback/audio-source.ts';
import { DialPlans } from './routing/dial-plan.ts';
import { Prompts } from './script/prompts.ts';
import { ScriptRunner } from './script/runner.ts';
import { keepServerAddress } from './server-address.ts';
import { createSignalling } from './signalling.ts';
import { localHost } from './sip/local-host.ts';
import type { UserAgent } from './sip/user-agent.ts';
import { createTextToSpeech } from './speech/create-text-to-speech.ts';
import { loadMasterKey } from './spool/keys.ts';
import { spoolDirectoryOf } from './spool/layout.ts';
import { endPreviousWorkers } from './worker/previous-workers.ts';
import { RenderPool } from './worker/render-pool.ts';
import { WorkerPool } from './worker/worker-pool.ts';

/** What a test replaces. */
export interface Surroundings {
  clock?: Clock;
  log?: Logger;
}

/** A running Callreel. */
export interface Callreel {
  readonly credentials: Credentials;
  /** Base of every URL given out. */
  readonly publicUrl: string;
  readonly sip: readonly { transport: string; host: string; port: number }[];
  readonly calls: LiveCalls;
  readonly media: WorkerPool;
  /** No new calls; running ones go on for `drainSeconds`, then are ended; everything is finished and closed. */
  stop(): Promise<void>;
}

const defaultRecordingRateHz = 8000;
const renderThreads = 1;
const drainPollMs = 50;
/** How long a called party may ring. */
const answerTimeoutMs = 60_000;
/** A database that does not come back in this time keeps no process: the next start writes the rows. */
const lastWritesMs = 10_000;
const node = 'local';

/**
 * Builds everything from the configuration, finishes what the run before left, then takes calls.
 * @throws CallreelError whatever keeps it from starting; everything begun is undone then
 */
export async function startCallreel(config: Config, surroundings: Surroundings = {}): Promise<Callreel> {
  const parts = new AsyncDisposableStack();
  try {
    return await build(config, surroundings, parts);
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function build(
  config: Config,
  surroundings: Surroundings,
  parts: AsyncDisposableStack,
): Promise<Callreel> {
  const { clock = systemClock, log = createLogger(config.log.level) } = surroundings;
  const { dataDir } = config;
  const database = await startDatabase({ dataDir, url: config.database.url, clock, logger: log });
  parts.defer(() => database.close());
  const { db } = database;
  const credentials = loadCredentials(dataDir, config);
  const { accountId } = credentials;
  const masterKey = loadMasterKey(dataDir);
  const spoolDir = spoolDirectoryOf(dataDir);

  const callbacks = new CallbackClient({
    guard: new AddressGuard(config.callbacks.allow),
    clock,
    ...config.callbacks,
  });
  parts.defer(() => callbacks.close());
  const jobs = await startJobs(database.pool, log);
  parts.defer(() => jobs.stop({ graceful: false }));
  const secret = config.webhooks.secret ?? keptSecret(dataDir, 'webhook-secret', newWebhookSecret);
  const outbox = await Outbox.start({
    db,
    boss: jobs,
    send: webhookSender({ client: callbacks, secret, clock }),
    clock,
    logger: log,
    exclusive: config.database.url === undefined,
  });
  parts.defer(() => outbox.stop());

  const formatters = { sift: formatSiftEvent };
  const directory = new Directory({ clock, log, db, outbox, spoolDir, node, formatters });
  const closer = new ConversationCloser({ clock, log, directory, spoolDir, masterKey });
  await applyConfiguredNumbers(db, accountId, config.numbers);
  await endPreviousWorkers(spoolDir, clock);
  await finishPreviousRun({ clock, log, db, directory, spoolDir, masterKey, node });

  const pool = await WorkerPool.start({
    workers: config.workers,
    clock,
    log,
    mediaAddress: config.rtp.host,
    ports: config.rtp.ports,
    spoolDir,
  });
  parts.defer(async () => {
    // Every leg is closed by now; what still does not end is a fault, and the next start finishes its recordings.
    const patience = clock.after(lastWritesMs, () => {
      log.error({}, 'a media worker does not drain');
      pool.kill();
    });
    await pool.drain();
    patience.cancel();
  });
  const media = new MediaPlane({
    pool,
    advertisedAddress: (peer) => config.rtp.advertisedHost ?? localHost(config.rtp.host, peer),
    log,
  });
  const calls = new LiveCalls({
    clock,
    log,
    accountId,
    recordingRateHz: config.recording.rateHz ?? defaultRecordingRateHz,
    media,
    directory,
    closer,
    keys: new RecordingKeys(masterKey),
  });
  pool.onEvent((event) => calls.onWorkerEvent(event));
  pool.onLost((worker) => calls.onWorkerLost(worker));

  const renders = new RenderPool({
    threads: renderThreads,
    spoolDir,
    masterKey,
  });
  parts.defer(() => renders.close());
  const dialPlans = new DialPlans({ db, allowCallsFrom: config.sip.allowCallsFrom });
  const conversations = new Conversations({ db, calls, spoolDir, clock });
  const http = buildApi({
    log,
    clock,
    db,
    credentials,
    calls,
    links: LinkSigner.fromDataDir(dataDir),
    renders,
    dialPlans,
    masterKey,
    replayEvent: (eventId) => outbox.replay(eventId),
    publicUrl: () => publicUrl,
    dialects: [
      (app, mediaUrl) =>
        siftRoutes(app, { accountId, db, conversations, mediaUrl, publicUrl: () => publicUrl }),
    ],
  });
  parts.defer(() => http.close());
  await http.listen({ host: config.http.host, port: config.http.port });
  const localUrl = urlOf(http.server.address() as AddressInfo);
  const publicUrl = config.http.publicUrl?.replace(/\/$/, '') ?? localUrl;
  parts.defer(keepServerAddress(dataDir, localUrl));

  const decoder = new AudioDecoder({ clock });
  parts.defer(() => decoder.close());
  const textToSpeech = createTextToSpeech(config.speech, { clock, decoder });
  parts.defer(() => textToSpeech.close());
  const audioSource = new AudioSource({ fetcher: callbacks, decoder, clock });
  const dialer = new Dialer({
    clock,
    userAgent: () => signalling.userAgent,
    media,
    adopt: (leg) => calls.adopt(leg),
  });
  const connector = new Connector({
    dialer,
    log,
    answerTimeoutMs,
    resolve: (leg, target) => outbound.resolve(leg, target),
    openPair: (leg, dialect) => calls.openPair(leg, dialect),
  });
  const prompts = new Prompts({ textToSpeech, audioSource, log });
  const runner = new ScriptRunner({ calls, connector, prompts, clock, log, dialect: 'sift' });
  const sift = new SiftIncoming({ callbacks, runner, log });
  const inbound = new Inbound({ accountId, db, dialPlans, calls, sift, log });
  const signalling = createSignalling(config.sip, {
    clock,
    log,
    onInvite: (session) => inbound.invited(session),
  });
  const { userAgent, registrar } = signalling;
  const ownHost = () => config.sip.advertisedHost ?? localHost(config.sip.host, '');
  const outbound = new Outbound({ dialPlans, registrar, masterKey, host: ownHost });
  parts.defer(() => userAgent.close());
  await userAgent.start();

  return {
    credentials,
    publicUrl,
    sip: userAgent.listening,
    calls,
    media: pool,
    stop: () => stop(config, { clock, log, userAgent, calls, directory, parts }),
  };
}

interface Stopping {
  clock: Clock;
  log: Logger;
  userAgent: UserAgent;
  calls: LiveCalls;
  directory: Directory;
  parts: AsyncDisposableStack;
}

async function stop(
  config: Config,
  { clock, log, userAgent, calls, directory, parts }: Stopping,
): Promise<void> {
  userAgent.drain();
  const deadlineUs = clock.monotonicUs() + config.drainSeconds * 1e6;
  log.info(calls.counts, 'draining: no new calls');
  while (calls.counts.calls > 0 && clock.monotonicUs() < deadlineUs) await sleep(clock, drainPollMs);
  await calls.close();
  const lastWrites = clock.after(lastWritesMs, () => directory.close());
  await directory.whenIdle();
  lastWrites.cancel();
  await parts.disposeAsync();
  log.info({}, 'stopped');
}

function urlOf({ address, port, family }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
