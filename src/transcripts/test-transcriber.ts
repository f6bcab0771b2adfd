import type { Clock } from '../clock.ts';
import { insertEvent } from '../database/events.ts';
import { endRecording, insertRecording } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import type { TranscriptRow, TranscriptState } from '../database/transcript-table.ts';
import { getTranscript } from '../database/transcripts.ts';
import { credentialsAbout } from '../delivery/credential-seal.ts';
import type { DestinationSettings } from '../delivery/destinations/open-destination.ts';
import type { OwnStore } from '../delivery/destinations/own-store.ts';
import {
  accountId,
  credentials,
  node,
  seal,
  type TestDeliverer,
  testDeliverer,
  until,
} from '../delivery/test-deliverer.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import type { TestSpool } from '../spool/test-spool.ts';
import type {
  ChannelAudio,
  ChannelSpeech,
  ChannelWish,
  SpeechToText,
} from '../transcription/speech-to-text.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import { writeTestRecording } from './test-recording.ts';
import { Transcriber, type TranscriberOptions } from './transcriber.ts';
import { TranscriptRows } from './transcript-rows.ts';
import { Transcripts } from './transcripts.ts';

/** What is heard in a channel; may throw, and be late. */
export type TestAnswer = (locale: string, signal: AbortSignal) => string | Promise<string>;

/** For tests only: an engine that listens to the end and then says what it was told to. */
export class TestEngine implements SpeechToText {
  readonly name = 'url';
  readonly model = 'test';
  answer: TestAnswer = () => 'hello';
  /** Length of each channel that was listened to. */
  readonly heardSamples: number[] = [];

  unservedReason(): undefined {
    return undefined;
  }

  async transcribe({ chunks }: ChannelAudio, { locale, signal }: ChannelWish): Promise<ChannelSpeech> {
    let durationSamples = 0;
    for await (const chunk of chunks) durationSamples += chunk.length;
    this.heardSamples.push(durationSamples);
    const text = await this.answer(locale, signal);
    signal.throwIfAborted();
    return { durationSamples, utterances: [{ fromSample: 0, toSample: 160, text }], unrecognized: [] };
  }

  async close(): Promise<void> {}
}

export interface TestTranscriberOptions
  extends Partial<Pick<TranscriberOptions, 'engine' | 'retryDays' | 'concurrency' | 'outbox'>> {
  db: Db;
  clock: Clock;
  spool: TestSpool;
  renders: RenderPool;
  settings?: Omit<DestinationSettings, 'clock'>;
  ownStore?: OwnStore;
}

export interface TestTranscriber {
  transcriber: Transcriber;
  transcripts: Transcripts;
  rows: TranscriptRows;
  delivering: TestDeliverer;
}

/** A transcriber and the deliverer before it, whose events are rows; neither is started. */
export function testTranscriber(given: TestTranscriberOptions): TestTranscriber {
  const { db, clock, spool, renders, settings: more, ownStore, ...options } = given;
  const settings = { clock, ...(ownStore && { ownStore }), ...more };
  const rows = new TranscriptRows(node, clock);
  const transcriber = new Transcriber({
    ...{ db, seal, settings, renders, node, rows, clock, log: silentLogger },
    ...{ spoolDir: spool.spoolDirectory, masterKey: spool.masterKey, retryDays: 5, concurrency: 1 },
    engine: async () => new TestEngine(),
    outbox: {
      transaction: (change) => db.transaction().execute((trx) => change(trx, undefined as never)),
    },
    tell: async (trx, { conversationId, destination, errorCode }, state) => {
      const createdAt = new Date(clock.unixMs());
      const ids = { eventId: newId(), accountId, conversationId };
      const payload = { destination, errorCode };
      await insertEvent(trx, { ...ids, type: state, payload, createdAt, callbackUrl: 'http://receiver/' });
    },
    ...options,
  });
  return {
    ...{ transcriber, rows, transcripts: new Transcripts({ db, rows, seal, transcriber, ownStore }) },
    delivering: testDeliverer(db, clock, { settings, ...(ownStore && { ownStore }) }),
  };
}

export interface TestTranscriptWish {
  /** Undefined: no destination. */
  url?: string | undefined;
  /** Undefined: no transcript is wanted. */
  locale?: string | undefined;
}

const samples = 1600;

/** A recording of two parties that goes on: 0.2 s are in its spool. @returns its id */
export async function startTranscribed(
  { db, spool }: Pick<TestTranscriberOptions, 'db' | 'spool'>,
  { rows, delivering }: TestTranscriber,
  { url, locale }: TestTranscriptWish,
): Promise<string> {
  const recordingId = newId();
  const conversationId = `c${recordingId}`;
  const stay = { fromSample: 0, toSample: samples };
  const stays = ['a', 'b'].map((connectionId) => ({ ...stay, connectionId, trackId: `${connectionId}1` }));
  writeTestRecording(spool, { recordingId, conversationId, stays, endSample: samples });
  const startedAt = new Date('2026-11-21T18:30:00Z');
  const ids = { recordingId, conversationId, accountId };
  await db.transaction().execute(async (trx) => {
    await insertRecording(trx, {
      ...{ ...ids, kind: 'conference', rateHz: 8000, startSample: 0, startedAt },
      ...{ sealedKey: 'sealed', spoolDir: spool.spoolDirectory, node },
    });
    if (locale !== undefined) await rows.insert(trx, { ...ids, startedAt }, locale);
    if (url === undefined) return;
    const about = { url, applicationKey: 'app', nameId: recordingId };
    const sealedCredentials = seal.seal(credentials, credentialsAbout(about));
    const wanted = { ...about, sealedCredentials, format: 'mp3', stereo: false } as const;
    await delivering.rows.insert(trx, { ...ids, startedAt }, wanted);
  });
  return recordingId;
}

export async function endTranscribed(
  db: Db,
  { rows, delivering, transcriber }: TestTranscriber,
  recordingId: string,
  { reason = 'stopped', fileSamples = samples } = {},
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const end = { reason, endSample: fileSamples, fileSamples, recordedSamples: fileSamples };
    const row = await endRecording(trx, recordingId, { ...end, endedAt: new Date() });
    if (!row) throw new Error(`${recordingId} has ended before`);
    await rows.recordingEnded(trx, row);
    await delivering.rows.recordingEnded(trx, row);
  });
  delivering.deliverer.kick();
  transcriber.kick();
}

export async function transcriptOf(db: Db, recordingId: string): Promise<TranscriptRow> {
  const row = await getTranscript(db, recordingId);
  if (!row) throw new Error(`no transcript of ${recordingId}`);
  return row;
}

/** Asks until it is so; what waits for the file of its recording is looked for each time. */
export function transcriptIn(
  db: Db,
  { transcriber }: Pick<TestTranscriber, 'transcriber'>,
  recordingId: string,
  ...states: TranscriptState[]
): Promise<TranscriptRow> {
  return until(`${recordingId} ${states}`, async () => {
    transcriber.kick();
    const row = await transcriptOf(db, recordingId);
    return states.includes(row.state) ? row : undefined;
  });
}
