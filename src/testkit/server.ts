import { rmSync } from 'node:fs';
import { type Callreel, startCallreel } from '../callreel.ts';
import type { Clock } from '../clock.ts';
import { type Config, loadConfig } from '../config.ts';
import { copyReadyCluster } from '../database/ready-cluster.ts';
import { makeTemporaryDir } from '../database/temporary-database.ts';
import type { DeliveryTime } from '../delivery/jobs.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { TransportName } from '../sip/transport.ts';
import { formatHost } from '../sip/uri.ts';
import type { SpeechToText } from '../transcription/speech-to-text.ts';

export interface TestServerOptions {
  /** As the environment would give it, over ephemeral ports and one media worker. */
  settings?: Record<string, string>;
  /** Which URL serves which number. */
  numbers?: Config['numbers'];
  /** Given: the caller's, and kept at the end; several servers in turn may use it. */
  dataDir?: string;
  clock?: Clock;
  log?: Logger;
  deliveryTime?: DeliveryTime;
  /** In place of the configured engine. */
  speechToText?: SpeechToText;
}

/** A whole Callreel on free ports of the loopback address, with a data directory of its own. */
export class TestServer {
  readonly callreel: Callreel;
  readonly dataDir: string;
  readonly #removeDataDir: boolean;

  private constructor(callreel: Callreel, dataDir: string, removeDataDir: boolean) {
    this.callreel = callreel;
    this.dataDir = dataDir;
    this.#removeDataDir = removeDataDir;
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const dataDir = options.dataDir ?? makeTemporaryDir();
    const config = testConfig(dataDir, options);
    if (config.database.url === undefined) await copyReadyCluster(config.dataDir);
    const { clock, log = silentLogger, deliveryTime, speechToText } = options;
    const callreel = await startCallreel(config, { clock, log, deliveryTime, speechToText });
    return new TestServer(callreel, dataDir, options.dataDir === undefined);
  }

  /** SIP URI of a number on this server. */
  sipUri(number: string, transport: TransportName = 'udp'): string {
    const listener = this.callreel.sip.find((candidate) => candidate.transport === transport);
    return `sip:${number}@${formatHost(listener?.host ?? '')}:${listener?.port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
  }

  /** GET or POST behind HTTP Basic; gives the JSON body. */
  async api<Body>(path: string, method: 'GET' | 'POST' | 'DELETE' = 'GET'): Promise<Body> {
    const { accountId, authToken } = this.callreel.credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`;
    const response = await fetch(this.callreel.publicUrl + path, { method, headers: { authorization } });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Body;
  }

  async stop(): Promise<void> {
    await this.callreel.stop();
    if (this.#removeDataDir) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Free ports everywhere, little patience, nothing of the surrounding machine. */
export function testConfig(dataDir: string, { settings = {}, numbers = [] }: TestServerOptions = {}): Config {
  const environment = {
    CALLREEL_DATA_DIR: dataDir,
    CALLREEL_SIP_PORT: '0',
    CALLREEL_HTTP_PORT: '0',
    CALLREEL_RTP_PORTS: '0-0',
    CALLREEL_WORKERS: '1',
    // How busy the machine is with other tests says nothing of the server.
    CALLREEL_ADMISSION_MAX_LATE_TICK_SHARE: '0',
    CALLREEL_ADMISSION_MAX_SIGNALLING_BUSY_SECONDS: '0',
    CALLREEL_DRAIN_SECONDS: '0',
    ...settings,
  };
  return { ...loadConfig(environment, dataDir), numbers };
}
