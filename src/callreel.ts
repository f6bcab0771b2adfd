import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { NodeWatch } from './admission/node-watch.ts';
import { buildApi } from './api/api.ts';
import { mediaMetrics } from './api/media-metrics.ts';
import { mediaDoor } from './api/media-routes.ts';
import {
  admissionMetrics,
  backlogMetrics,
  callMetrics,
  machineMetrics,
  signallingMetrics,
} from './api/metric-sources.ts';
import type { Credentials } from './auth/credentials.ts';
import { CallRecords } from './call/call-records.ts';
import { Conversations } from './call/conversations.ts';
import type { Directory } from './call/directory.ts';
import type { LiveCalls } from './call/live-calls.ts';
import { RecordingEraser } from './call/recording-eraser.ts';
import type { RecordingFiles } from './call/recording-files.ts';
import type { RecordingQuality } from './call/recording-quality.ts';
import { type CallControl, openCallControl } from './call-control.ts';
import { type Clock, sleep } from './clock.ts';
import type { Config } from './config.ts';
import type { Recording } from './database/schema.ts';
import { type DeliveryControl, openDeliveries } from './deliveries.ts';
import type { CredentialSeal } from './delivery/credential-seal.ts';
import type { Deliveries } from './delivery/deliveries.ts';
import { defaultRoutineOf } from './dialects/sift/application.ts';
import { siftRoutes } from './dialects/sift/routes.ts';
import { checkedDocument } from './dialects/signalwire/checked-document.ts';
import { keptDocument } from './dialects/sinch/document-secrets.ts';
import { unreadableSinchPath } from './dialects/sinch/routes.ts';
import { CallreelError } from './errors.ts';
import { type Foundation, openFoundation, type Surroundings } from './foundation.ts';
import type { Logger } from './logger.ts';
import type { VerbPerformer } from './script/performer.ts';
import { keepServerAddress } from './server-address.ts';
import { signalwireDoors } from './signalwire.ts';
import { sinchDoor } from './sinch.ts';
import { localHost } from './sip/local-host.ts';
import type { UserAgent } from './sip/user-agent.ts';
import { openTranscripts, type TranscriptControl } from './transcribing.ts';
import { CaptureExport } from './worker/capture-export.ts';
import { RenderPool } from './worker/render-pool.ts';
import type { WorkerPool } from './worker/worker-pool.ts';

/** A running Callreel. */
export interface Callreel {
  readonly credentials: Credentials;
  /** Base of every URL given out. */
  readonly publicUrl: string;
  readonly sip: readonly { transport: string; host: string; port: number }[];
  readonly calls: LiveCalls;
  readonly media: WorkerPool;
  readonly deliveries: Deliveries;
  /** Whether one more call may come. */
  readonly admission: NodeWatch;
  /** Seals credentials of destinations. */
  readonly seal: CredentialSeal;
  /** Does verbs on its calls, for a dialect. */
  performer(dialect: string): VerbPerformer;
  /**
   * No new calls; running ones go on for `drainSeconds`, then are ended; everything is finished and closed.
   * @returns false when a stalled disk or database kept something from it: the next start finishes that
   */
  stop(): Promise<boolean>;
}

const renderThreads = { threads: 1, encodeThreads: 1 };
const drainPollMs = 50;
/** A disk or a database that does not come back in this time keeps no process: the next start does the rest. */
const lastWritesMs = 15_000;
const closingMs = 15_000;

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
  const foundation = await openFoundation(config, surroundings, parts);
  const { clock, log, credentials, directory } = foundation;
  const renders = openRenders(config, foundation, parts);
  const around = {
    settle: (conversationId: string) => control.calls.settle(conversationId),
    settleAll: (conversationIds: ReadonlySet<string>) => control.calls.settleAll(conversationIds),
    ended: () => transcribing.transcriber.kick(),
  };
  const delivering = openDeliveries(config, foundation, renders, around, parts);
  const transcribing = await openTranscripts(config, foundation, renders, surroundings.speechToText, parts);
  const { recognizer } = transcribing;
  const control: CallControl = await openCallControl(
    config,
    foundation,
    renders,
    delivering,
    recognizer,
    parts,
  );
  const { calls, files, quality, pool, userAgent, registrations, performer } = control;
  const serving = { ...control, ...delivering, ...transcribing, renders };
  const publicUrl = await serveHttp(config, foundation, serving, parts);
  parts.defer(() => userAgent.close());
  await userAgent.start();
  parts.defer(() => registrations.close());
  await registrations.sync();
  return {
    credentials,
    publicUrl,
    sip: userAgent.listening,
    calls,
    media: pool,
    deliveries: delivering.deliveries,
    admission: control.admission,
    seal: foundation.delivery.seal,
    performer,
    stop: () => stop(config, { clock, log, userAgent, calls, files, quality, directory, parts }),
  };
}

function openRenders(
  { recording: { lossConcealment } }: Config,
  { spoolDir, masterKey }: Foundation,
  parts: AsyncDisposableStack,
): RenderPool {
  const renders = new RenderPool({ ...renderThreads, spoolDir, masterKey, lossConcealment });
  parts.defer(() => renders.close());
  return renders;
}

/** @returns the base of every URL given out */
async function serveHttp(
  config: Config,
  foundation: Foundation,
  control: CallControl & DeliveryControl & TranscriptControl & { renders: RenderPool },
  parts: AsyncDisposableStack,
): Promise<string> {
  const { clock, log, db, credentials, masterKey, spoolDir, outbox, links, publicUrl } = foundation;
  const { accountId } = credentials;
  const { calls, files, quality, callLog, placer, registrations, renders, own, deliverer, deliveries } =
    control;
  const { transcriber, transcripts } = control;
  const forget = (recordingId: string) => {
    renders.forget(recordingId);
    quality?.forget(recordingId);
  };
  const eraseFile = (row: Recording) => files.erase(row);
  const abandonDelivery = async (recordingId: string) => {
    await transcripts.erase(recordingId);
    await deliveries.abandon(recordingId);
  };
  const eraser = new RecordingEraser({ db, clock, log, spoolDir, forget, eraseFile, abandonDelivery });
  await eraser.finishInterrupted();
  await deliverer.start();
  await transcriber.start();
  files.finishPrevious();
  quality?.finishPrevious();
  const conversations = new Conversations({ db, calls, spoolDir, clock });
  const signalwire = signalwireDoors(foundation, { ...control, eraser });
  const http = buildApi({
    ...foundation,
    calls,
    placer,
    registrations,
    renders,
    eraser,
    deliveries,
    transcripts,
    destinations: foundation.delivery,
    records: new CallRecords({ db, calls, callLog }),
    metricSources: [
      callMetrics(calls),
      mediaMetrics(control.pool, clock),
      admissionMetrics(control.admission),
      signallingMetrics(foundation.waitingQueries),
      backlogMetrics(db, foundation.node, foundation.delivery.clock),
      machineMetrics(control.admission, clock),
    ],
    captures: new CaptureExport({ spoolDir, masterKey, log }),
    masterKey,
    replayEvent: (eventId) => outbox.replay(eventId),
    documents: {
      sift: (given) => defaultRoutineOf(given, 'body.document'),
      signalwire: (given) => checkedDocument(given, 'body.document'),
      sinch: (given) => keptDocument(given, 'body.document', masterKey, control.sinch.rules),
    },
    dialects: [
      (app, mediaUrl) => siftRoutes(app, { accountId, db, conversations, transcripts, mediaUrl, publicUrl }),
      signalwire.routes,
    ],
    open: [signalwire.download, sinchDoor(foundation, control)],
    unreadable: unreadableSinchPath,
  });
  parts.defer(() => http.close());
  await listen(http, config.http);
  const localUrl = urlOf(http.server.address() as AddressInfo);
  foundation.listening(config.http.publicUrl?.replace(/\/$/, '') ?? localUrl);
  own.serve(publicUrl(), [mediaDoor(links, clock), foundation.signalwire.links.door]);
  parts.defer(keepServerAddress(config.dataDir, localUrl));
  return publicUrl();
}

interface Stopping {
  clock: Clock;
  log: Logger;
  userAgent: UserAgent;
  calls: LiveCalls;
  files: RecordingFiles;
  quality: RecordingQuality | undefined;
  directory: Directory;
  parts: AsyncDisposableStack;
}

async function stop(
  config: Config,
  { clock, log, userAgent, calls, files, quality, directory, parts }: Stopping,
): Promise<boolean> {
  userAgent.drain();
  const deadlineUs = clock.monotonicUs() + config.drainSeconds * 1e6;
  log.info(calls.counts, 'draining: no new calls');
  while (calls.counts.calls > 0 && clock.monotonicUs() < deadlineUs) await sleep(clock, drainPollMs);
  const finished = await within(
    clock,
    lastWritesMs,
    calls
      .close()
      .then(() => Promise.all([files.whenIdle(), quality?.whenIdle()]))
      .then(() => directory.whenIdle()),
  );
  if (!finished) log.error(calls.counts, 'not everything could be finished; the next start does it');
  directory.close();
  const closed = await within(clock, closingMs, parts.disposeAsync());
  log.info({ finished, closed }, 'stopped');
  return finished && closed;
}

/** Whether it came to its end in time. */
async function within(clock: Clock, limitMs: number, work: Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = clock.after(limitMs, () => resolve(false));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.cancel();
  }
}

/** @throws CallreelError PORT_TAKEN, CONFIG_INVALID */
async function listen(http: FastifyInstance, { host, port }: Config['http']): Promise<void> {
  try {
    await http.listen({ host, port });
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const where = taken ? 'http.port' : 'http.host';
    throw new CallreelError(
      taken ? 'PORT_TAKEN' : 'CONFIG_INVALID',
      `cannot listen for HTTP on ${host}:${port}`,
      {
        where,
        cause,
      },
    );
  }
}

/** Of a server that listens everywhere, by the address that other machines know this one by. */
function urlOf({ address, port }: AddressInfo): string {
  const host = localHost(address, address.includes(':') ? '::' : '');
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
