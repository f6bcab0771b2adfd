import type { AddressInfo } from 'node:net';
import { buildApi } from './api/api.ts';
import type { Credentials } from './auth/credentials.ts';
import { LinkSigner } from './auth/signed-link.ts';
import { Conversations } from './call/conversations.ts';
import type { Directory } from './call/directory.ts';
import type { LiveCalls } from './call/live-calls.ts';
import { openCallControl } from './call-control.ts';
import { type Clock, sleep } from './clock.ts';
import type { Config } from './config.ts';
import { siftRoutes } from './dialects/sift/routes.ts';
import { type Foundation, openFoundation, type Surroundings } from './foundation.ts';
import type { Logger } from './logger.ts';
import { keepServerAddress } from './server-address.ts';
import type { UserAgent } from './sip/user-agent.ts';
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
  /** No new calls; running ones go on for `drainSeconds`, then are ended; everything is finished and closed. */
  stop(): Promise<void>;
}

const renderThreads = 1;
const drainPollMs = 50;
/** A database that does not come back in this time keeps no process: the next start writes the rows. */
const lastWritesMs = 10_000;

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
  const { calls, pool, userAgent } = await openCallControl(config, foundation, parts);
  const publicUrl = await serveHttp(config, foundation, calls, parts);
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

/** @returns the base of every URL given out */
async function serveHttp(
  config: Config,
  foundation: Foundation,
  calls: LiveCalls,
  parts: AsyncDisposableStack,
): Promise<string> {
  const { clock, db, credentials, masterKey, spoolDir, outbox } = foundation;
  const { accountId } = credentials;
  const renders = new RenderPool({ threads: renderThreads, spoolDir, masterKey });
  parts.defer(() => renders.close());
  const conversations = new Conversations({ db, calls, spoolDir, clock });
  let publicUrl = '';
  const http = buildApi({
    ...foundation,
    calls,
    links: LinkSigner.fromDataDir(config.dataDir),
    renders,
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
  publicUrl = config.http.publicUrl?.replace(/\/$/, '') ?? localUrl;
  parts.defer(keepServerAddress(config.dataDir, localUrl));
  return publicUrl;
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
