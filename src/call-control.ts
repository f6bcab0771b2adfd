import { eventLoopBusyShare } from './admission/event-loop.ts';
import { NodeWatch } from './admission/node-watch.ts';
import { CallLog } from './call/call-log.ts';
import { CallPlacer } from './call/call-placer.ts';
import { type CallTarget, Connector } from './call/connector.ts';
import { ConversationCloser } from './call/conversation-closer.ts';
import { Dialer } from './call/dialer.ts';
import { newFileOrder } from './call/file-order.ts';
import type { Leg } from './call/leg.ts';
import { LiveCalls } from './call/live-calls.ts';
import { MediaPlane } from './call/media-plane.ts';
import { OwnRecordings } from './call/own-recordings.ts';
import { RecordingFactory, type RecordingFileMaker } from './call/recording-factory.ts';
import { RecordingFiles } from './call/recording-files.ts';
import { RecordingKeys } from './call/recording-keys.ts';
import { RecordingQuality } from './call/recording-quality.ts';
import { SilenceWatch } from './call/silence-watch.ts';
import { Transfers } from './call/transfer.ts';
import type { Config } from './config.ts';
import type { DeliveryControl } from './deliveries.ts';
import { SiftIncoming } from './dialects/sift/incoming.ts';
import { SwmlIncoming } from './dialects/signalwire/swml-incoming.ts';
import type { Foundation } from './foundation.ts';
import { Inbound } from './inbound.ts';
import { mediaAddressFor, outsideHost } from './listen-addresses.ts';
import { Outbound } from './outbound.ts';
import { AudioDecoder } from './playback/audio-decoder.ts';
import { AudioSource } from './playback/audio-source.ts';
import { Router } from './routing/router.ts';
import type { TrunkRegistrations } from './routing/trunk-registrations.ts';
import type { Recognizer } from './script/collection.ts';
import { LivePerformer, type VerbPerformer } from './script/performer.ts';
import { Prompts } from './script/prompts.ts';
import { ScriptRunner } from './script/runner.ts';
import { createSignalling } from './signalling.ts';
import { openSignalwire, type Signalwire } from './signalwire.ts';
import { openSinch, type Sinch } from './sinch.ts';
import type { SipReplaces } from './sip/session.ts';
import type { UserAgent } from './sip/user-agent.ts';
import { createTextToSpeech } from './speech/create-text-to-speech.ts';
import { trunkRegistrations } from './trunk-signalling.ts';
import { FileWriter } from './worker/file-writer.ts';
import { QualityGauge } from './worker/quality-gauge.ts';
import type { RenderPool } from './worker/render-pool.ts';
import { WorkerPool } from './worker/worker-pool.ts';

/** Signalling, media and what decides over them. */
export interface CallControl {
  calls: LiveCalls;
  files: RecordingFiles;
  /** Undefined where nothing is measured. */
  quality: RecordingQuality | undefined;
  callLog: CallLog;
  placer: CallPlacer;
  pool: WorkerPool;
  /** Built, and not yet listening. */
  userAgent: UserAgent;
  /** Of trunks; begin with the first `sync`, once the user agent listens. */
  registrations: TrunkRegistrations;
  /** Does verbs on its calls, for a dialect. */
  performer(dialect: string): VerbPerformer;
  signalwire: Signalwire;
  sinch: Sinch;
  /** Whether one more call may come. */
  admission: NodeWatch;
  /** Told of the URLs of recordings once they are served. */
  own: OwnRecordings;
}

/** How long a called party may ring. */
const answerTimeoutMs = 60_000;
/** Every leg is closed by then; what still does not end is a fault, and the next start finishes its recordings. */
const workerDrainMs = 10_000;

/** @param parts takes what must be closed, in the order of opening */
export async function openCallControl(
  config: Config,
  foundation: Foundation,
  renders: RenderPool,
  deliveries: DeliveryControl,
  recognizer: Recognizer,
  parts: AsyncDisposableStack,
): Promise<CallControl> {
  const { clock, log, db, credentials, masterKey, directory, callbacks, dialPlans } = foundation;
  const { accountId } = credentials;
  const pool = await startMedia(config, foundation, parts);
  const callLog = new CallLog({ clock, store: (leg, kept) => directory.connections.logged(leg, kept) });
  const media = new MediaPlane({
    pool,
    advertisedAddress: mediaAddressFor(config),
    codecs: config.rtp.codecs.map((name) => (name === 'opus' ? 'OPUS' : name)),
    codecOrder: config.rtp.codecOrder,
    srtp: config.rtp.srtp,
    inactivityTimeoutMs: config.rtp.inactivityTimeoutMs || undefined,
    opened: (legId, local) => callLog.opened(legId, local),
    agreed: (legId, negotiated) => callLog.agreed(legId, negotiated),
    log,
  });
  const settle = (conversationIds: ReadonlySet<string>) => calls.settleAll(conversationIds);
  const [files, quality] = await Promise.all([
    openFiles(config, foundation, settle, parts),
    openQuality(config, foundation, settle, parts),
  ]);
  const closer = new ConversationCloser({ ...foundation, quality });
  const calls: LiveCalls = new LiveCalls({
    clock,
    log,
    accountId,
    media,
    directory,
    closer,
    silence: silenceWatch(config, foundation),
    callLog,
    recordings: new RecordingFactory({
      directory,
      closer,
      files: fileMaker(config, foundation, files),
      deliveries,
      quality,
      keys: new RecordingKeys(masterKey),
      notices: { samples: (...notice) => prompts.load(...notice) },
      rateHz: config.recording.rateHz,
      rateHzOf: (legId) => media.rateHzOf(legId),
    }),
  });
  pool.onEvent((event) => calls.onWorkerEvent(event));
  pool.onLost((worker) => calls.onWorkerLost(worker));

  const dialer = new Dialer({
    clock,
    userAgent: () => userAgent,
    media,
    adopt: (leg, placedFor) => calls.adopt(leg, placedFor),
  });
  const resolve = (leg: Leg, target: CallTarget, from?: string) => outbound.resolve(leg, target, from);
  const find = (replaces: SipReplaces) => userAgent.find(replaces);
  const transfers = new Transfers({ calls, dialer, log, answerTimeoutMs, resolve, find });
  calls.transfers = transfers;
  const connector = new Connector({
    dialer,
    clock,
    log,
    answerTimeoutMs,
    resolve,
    openPair: (leg, dialect) => calls.openPair(leg, dialect),
  });
  const admission = await openAdmission(config, foundation, { pool, calls }, parts);
  const placer = new CallPlacer({
    calls,
    dialer,
    log,
    dialect: 'native',
    assertAdmits: () => admission.assertAdmits(),
    resolve: (account, from, target) => outbound.resolveFor(account, from, target),
    written: (connectionId) => directory.connections.written(connectionId),
  });
  const own = new OwnRecordings({ accountId, clock, db, calls, renders });
  const prompts = openPrompts(config, foundation, own, parts);
  const performer = (dialect: string): VerbPerformer =>
    new LivePerformer({ calls, connector, prompts, recognizer, clock, log, dialect });
  const runner = new ScriptRunner({ performer: performer('sift'), clock });
  const sift = new SiftIncoming({ callbacks, runner, log });
  const signalwire = openSignalwire(foundation, performer('signalwire'));
  const sinch = openSinch(config, foundation, { calls, performer: performer('sinch') });
  parts.defer(() => sinch.records.close());
  parts.defer(() => sinch.callbacks.whenIdle());
  const inbound = new Inbound({
    accountId,
    router: new Router(db),
    dialPlans,
    calls,
    media,
    incoming: { sift, signalwire: new SwmlIncoming(signalwire.sessions, log), sinch: sinch.sessions },
    transfers,
    log,
    noteRefused: (address, reason, fields) => userAgent.noteRefused(address, reason, fields),
    registered: (aor) => registrar.lookup(aor),
    trust: (address) => userAgent.trust(address),
  });
  const { userAgent, registrar, close } = createSignalling(config, {
    clock,
    log,
    onInvite: (session) => inbound.invited(session),
    tap: callLog.tap,
    admission,
  });
  parts.defer(close);
  const host = () => outsideHost(config.sip);
  const sipPorts = () => userAgent.listening.map(({ port }) => port);
  const outbound = new Outbound({ dialPlans, registrar, masterKey, host, sipPorts, srtp: config.rtp.srtp });
  const registrations = trunkRegistrations(foundation, userAgent);
  return {
    calls,
    files,
    quality,
    callLog,
    placer,
    pool,
    userAgent,
    registrations,
    performer,
    own,
    signalwire,
    sinch,
    admission,
  };
}

async function openAdmission(
  { admission, dataDir, recording: { files } }: Config,
  { clock, log, spoolDir, waitingQueries, longestQueryWaitMs }: Foundation,
  { pool, calls }: Pick<CallControl, 'pool' | 'calls'>,
  parts: AsyncDisposableStack,
): Promise<NodeWatch> {
  const { maxCalls, maxLateTickShare, minFreeDiskMb, maxSignallingBusySeconds } = admission;
  const busyShare = eventLoopBusyShare();
  const watch = new NodeWatch({
    ...{ clock, log },
    directories: { data: dataDir, spool: spoolDir, ...(files && { files: files.directory }) },
    limits: {
      ...{ maxCalls, maxLateTickShare },
      minFreeDiskBytes: minFreeDiskMb * 1e6,
      maxSignallingBusyMs: maxSignallingBusySeconds * 1000,
    },
    signalling: () => ({
      busyShare: busyShare(),
      waitingQueries: waitingQueries(),
      longestWaitMs: longestQueryWaitMs(),
    }),
    workers: () => pool.workers.filter(({ alive }) => alive),
    calls: () => calls.counts.calls,
  });
  parts.defer(() => watch.close());
  await watch.start();
  return watch;
}

/** Also where no files are wanted any more: of those that were, some may be left to finish, and to erase. */
async function openFiles(
  config: Config,
  foundation: Foundation,
  settle: LiveCalls['settleAll'],
  parts: AsyncDisposableStack,
): Promise<RecordingFiles> {
  const { lossConcealment, files: areWanted } = config.recording;
  const thread = new FileWriter({ ...foundation, lossConcealment });
  parts.defer(() => thread.close());
  if (areWanted) await thread.start();
  const files = new RecordingFiles({ ...foundation, thread, settle });
  parts.defer(() => files.close());
  return files;
}

async function openQuality(
  config: Config,
  foundation: Foundation,
  settle: LiveCalls['settleAll'],
  parts: AsyncDisposableStack,
): Promise<RecordingQuality | undefined> {
  const { lossConcealment, quality: isWanted } = config.recording;
  if (isWanted === 'off') return undefined;
  const thread = new QualityGauge({ ...foundation, lossConcealment });
  parts.defer(() => thread.close());
  await thread.start();
  const quality = new RecordingQuality({ ...foundation, thread, settle });
  parts.defer(() => quality.close());
  return quality;
}

function fileMaker(
  { recording }: Config,
  { clock }: Foundation,
  files: RecordingFiles,
): RecordingFileMaker | undefined {
  const settings = recording.files;
  if (!settings) return undefined;
  return {
    order: (ids) => newFileOrder(settings, ids, clock.unixMs()),
    follow: (started, order) => files.follow(started, order),
  };
}

function silenceWatch({ rtp }: Config, { clock, log }: Foundation): SilenceWatch | undefined {
  const timeoutMs = rtp.inactivityTimeoutMs;
  return timeoutMs === 0 ? undefined : new SilenceWatch({ clock, log, timeoutMs });
}

async function startMedia(
  config: Config,
  { clock, log, spoolDir }: Foundation,
  parts: AsyncDisposableStack,
): Promise<WorkerPool> {
  const { host: mediaAddress, ports, driver, steering } = config.rtp;
  const pool = await WorkerPool.start({
    ...{ workers: config.workers, clock, log, mediaAddress, ports, driver, steering, spoolDir },
  });
  parts.defer(async () => {
    const patience = clock.after(workerDrainMs, () => {
      log.error({}, 'a media worker does not drain');
      pool.kill();
    });
    await pool.drain();
    patience.cancel();
  });
  return pool;
}

function openPrompts(
  config: Config,
  { clock, log, callbacks }: Foundation,
  own: OwnRecordings,
  parts: AsyncDisposableStack,
): Prompts {
  const decoder = new AudioDecoder({ clock });
  parts.defer(() => decoder.close());
  const textToSpeech = createTextToSpeech(config.speech, { clock, decoder });
  parts.defer(() => textToSpeech.close());
  return new Prompts({
    textToSpeech,
    audioSource: new AudioSource({
      fetcher: callbacks,
      decoder,
      clock,
      limits: config.playback,
      readOwn: (url) => own.read(url),
    }),
    log,
  });
}
