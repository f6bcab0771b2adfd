import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../clock.ts';
import { loadMasterKey, type MasterKey, newRecordingKey } from './keys.ts';
import { spoolDirectoryOf } from './layout.ts';
import { SpoolProducer } from './producer.ts';
import type { ManifestHeader } from './records.ts';
import { createRing, RingConsumer } from './ring.ts';
import { SpoolWriter, type WriterMessage, type WriterTiming } from './writer.ts';

export interface TestSpoolOptions {
  ringBytes?: number;
  workerId?: string;
  timing?: Partial<WriterTiming>;
  /** An earlier spool's data directory, to come back to it. */
  dataDirectory?: string;
}

/** Both ends of a spool in one thread, on a clock of its own, in a directory of its own. For tests only. */
export class TestSpool {
  readonly dataDirectory: string;
  readonly spoolDirectory: string;
  readonly masterKey: MasterKey;
  readonly clock = new FakeClock();
  readonly producer: SpoolProducer;
  readonly writer: SpoolWriter;
  readonly messages: WriterMessage[] = [];
  readonly #ring: RingConsumer;

  constructor({ ringBytes = 1 << 20, workerId = 'w', timing, dataDirectory }: TestSpoolOptions = {}) {
    this.dataDirectory = dataDirectory ?? temporaryDirectory();
    this.spoolDirectory = spoolDirectoryOf(this.dataDirectory);
    this.masterKey = loadMasterKey(this.dataDirectory);
    const shared = createRing(ringBytes);
    this.producer = new SpoolProducer(shared);
    this.#ring = new RingConsumer(shared);
    const { spoolDirectory, clock } = this;
    const post = (message: WriterMessage): void => void this.messages.push(message);
    this.writer = new SpoolWriter({ spoolDirectory, workerId, clock, post, timing });
  }

  /** What the writer thread does in one turn. */
  pump(): void {
    this.drain();
    this.writer.flush();
  }

  /** The first half of it: the entries are taken, nothing is written. */
  drain(): void {
    this.writer.take(this.#ring, Number.POSITIVE_INFINITY);
  }

  startRecording(
    recordingId: string,
    {
      conversationId = 'room',
      meta = {},
      rateHz = 8000,
      startSample = 0,
      waitsFor,
    }: Partial<ManifestHeader> = {},
  ): ManifestHeader {
    const { plain, sealed } = newRecordingKey(this.masterKey, recordingId);
    const header: ManifestHeader = {
      type: 'header',
      version: 1,
      recordingId,
      conversationId,
      accountId: 'account',
      rateHz,
      originUnixMs: this.clock.unixMs(),
      startSample,
      sealedKey: sealed,
      ...(waitsFor && { waitsFor }),
      meta,
    };
    this.producer.startRecording(header, plain);
    return header;
  }

  path(relativePath: string): string {
    return join(this.spoolDirectory, relativePath);
  }

  read(relativePath: string): Buffer {
    return readFileSync(this.path(relativePath));
  }

  remove(): void {
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'callreel-spool-'));
}

export const testParty = {
  connectionId: 'connection',
  from: '+15550001',
  to: '+15550002',
  direction: 'incoming',
  role: 'participant',
} as const;
