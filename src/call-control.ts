import { Connector } from './call/connector.ts';
import { ConversationCloser } from './call/conversation-closer.ts';
import { Dialer } from './call/dialer.ts';
import { LiveCalls } from './call/live-calls.ts';
import { MediaPlane } from './call/media-plane.ts';
import { RecordingFactory } from './call/recording-factory.ts';
import { RecordingKeys } from './call/recording-keys.ts';
import type { Config } from './config.ts';
import { SiftIncoming } from './dialects/sift/incoming.ts';
import type { Foundation } from './foundation.ts';
import { Inbound } from './inbound.ts';
import { Outbound } from './outbound.ts';
import { AudioDecoder } from './playback/audio-decoder.ts';
import { AudioSource } from './playback/audio-source.ts';
import { Prompts } from './script/prompts.ts';
import { ScriptRunner } from './script/runner.ts';
import { createSignalling } from './signalling.ts';
import { localHost } from './sip/local-host.ts';
import type { UserAgent } from './sip/user-agent.ts';
import { createTextToSpeech } from './speech/create-text-to-speech.ts';
import { WorkerPool } from './worker/worker-pool.ts';

/** Signalling, media and what decides over them. */
export interface CallControl {
  calls: LiveCalls;
  pool: WorkerPool;
  /** Built, and not yet listening. */
  userAgent: UserAgent;
}

const defaultRecordingRateHz = 8000;
/** How long a called party may ring. */
const answerTimeoutMs = 60_000;
/** Every leg is closed by then; what still does not end is a fault, and the next start finishes its recordings. */
const workerDrainMs = 10_000;

/** @param parts takes what must be closed, in the order of opening */
export async function openCallControl(
  config: Config,
  foundation: Foundation,
  parts: AsyncDisposableStack,
): Promise<CallControl> {
  const { clock, log, db, credentials, masterKey, directory, callbacks, dialPlans } = foundation;
  const { accountId } = credentials;
  const pool = await startMedia(config, foundation, parts);
  const media = new MediaPlane({
    pool,
    advertisedAddress: (peer) => config.rtp.advertisedHost ?? localHost(config.rtp.host, peer),
    log,
  });
  const calls = new LiveCalls({
    clock,
    log,
    accountId,
    media,
    directory,
    closer: new ConversationCloser(foundation),
    recordings: new RecordingFactory({
      directory,
      keys: new RecordingKeys(masterKey),
      rateHz: config.recording.rateHz ?? defaultRecordingRateHz,
    }),
  });
  pool.onEvent((event) => calls.onWorkerEvent(event));
  pool.onLost((worker) => calls.onWorkerLost(worker));

  const connector = new Connector({
    dialer: new Dialer({
      clock,
      userAgent: () => userAgent,
      media,
      adopt: (leg) => calls.adopt(leg),
    }),
    log,
    answerTimeoutMs,
    resolve: (leg, target) => outbound.resolve(leg, target),
    openPair: (leg, dialect) => calls.openPair(leg, dialect),
  });
  const prompts = openPrompts(config, foundation, parts);
  const runner = new ScriptRunner({ calls, connector, prompts, clock, log, dialect: 'sift' });
  const sift = new SiftIncoming({ callbacks, runner, log });
  const inbound = new Inbound({ accountId, db, dialPlans, calls, sift, log });
  const { userAgent, registrar } = createSignalling(config.sip, {
    clock,
    log,
    onInvite: (session) => inbound.invited(session),
  });
  const host = () => config.sip.advertisedHost ?? localHost(config.sip.host, '');
  const outbound = new Outbound({ dialPlans, registrar, masterKey, host });
  return { calls, pool, userAgent };
}

async function startMedia(
  config: Config,
  { clock, log, spoolDir }: Foundation,
  parts: AsyncDisposableStack,
): Promise<WorkerPool> {
  const { host: mediaAddress, ports } = config.rtp;
  const pool = await WorkerPool.start({ workers: config.workers, clock, log, mediaAddress, ports, spoolDir });
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
  parts: AsyncDisposableStack,
): Prompts {
  const decoder = new AudioDecoder({ clock });
  parts.defer(() => decoder.close());
  const textToSpeech = createTextToSpeech(config.speech, { clock, decoder });
  parts.defer(() => textToSpeech.close());
  return new Prompts({
    textToSpeech,
    audioSource: new AudioSource({ fetcher: callbacks, decoder, clock, limits: config.playback }),
    log,
  });
}
