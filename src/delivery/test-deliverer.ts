import { createHash } from 'node:crypto';
import { type Clock, sleep, systemClock } from '../clock.ts';
import { deliveryOfRecording } from '../database/deliveries.ts';
import { insertEvent } from '../database/events.ts';
import { endRecording, insertRecording } from '../database/recordings.ts';
import type { Db, Delivery, DeliveryState } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import { Secret } from '../secret.ts';
import { OpenRendition } from '../worker/render-pool.ts';
import type { RenderReply } from '../worker/render-protocol.ts';
import { CredentialSeal, credentialsAbout } from './credential-seal.ts';
import { Deliverer, type DelivererOptions } from './deliverer.ts';
import { Deliveries } from './deliveries.ts';
import { DeliveryRows } from './delivery-rows.ts';
import type { DestinationSettings } from './destinations/open-destination.ts';
import type { OwnStore } from './destinations/own-store.ts';
import type { Renders } from './rendition-source.ts';

export const masterKey = new Secret(Buffer.alloc(32, 7));
export const accountId = 'acc';
export const node = 'local';
export const credentials = new Secret('AKIDEXAMPLE:wJalrXUtnFEMI:eu-central-1');
export const seal = new CredentialSeal(masterKey);

/** The file of any recording: its bytes follow from its id. */
export function contentOf(recordingId: string, bytes: number): Buffer {
  const block = createHash('sha512').update(recordingId).digest();
  const content = Buffer.alloc(bytes, block);
  for (let at = 0; at + 4 <= bytes; at += 65_536) content.writeUInt32LE(at, at);
  return content;
}

/** Files without a spool. */
export function testRenders(
  bytesOf: (recordingId: string) => number,
  { complete = true, contents = contentOf } = {},
): Renders {
  const chunkBytes = 100_000;
  return {
    async open({ recordingId }) {
      const content = contents(recordingId, bytesOf(recordingId));
      let at = 0;
      let last = -1;
      const ask = async (
        command: { verb: 'read'; first: number; last: number } | { verb: 'next' },
      ): Promise<RenderReply> => {
        if (command.verb === 'read') ({ first: at, last } = command);
        const chunk = content.subarray(at, Math.min(last + 1, at + chunkBytes));
        at += chunk.length;
        return chunk.length > 0 ? { id: 0, reply: 'chunk', chunk } : { id: 0, reply: 'done' };
      };
      const leadingBytes = content.subarray(0, 44);
      const head = { contentType: 'audio/wav', byteLength: content.length, leadingBytes, complete };
      return new OpenRendition(head, ask, () => undefined);
    },
  };
}

export interface TestDeliverer {
  deliverer: Deliverer;
  deliveries: Deliveries;
  rows: DeliveryRows;
}

export interface TestDelivererOptions extends Partial<Omit<DelivererOptions, 'settings'>> {
  settings: Omit<DestinationSettings, 'clock'>;
  /** By which storages are too late; else that of the schedule. */
  storageClock?: Clock;
  bytesOf?: (recordingId: string) => number;
  ownStore?: OwnStore;
}

/** A deliverer whose events are rows, not yet started. */
export function testDeliverer(
  db: Db,
  clock: Clock,
  { settings, storageClock = clock, bytesOf = () => 1000, ownStore, ...options }: TestDelivererOptions,
): TestDeliverer {
  const rows = new DeliveryRows(node, clock);
  const deliverer = new Deliverer({
    ...{ db, node, rows, seal, clock, log: silentLogger, rendering: '1' },
    ...{ retryDays: 5, concurrency: 8, renders: testRenders(bytesOf) },
    settings: { clock: storageClock, ...(ownStore && { ownStore }), ...settings },
    outbox: {
      transaction: (change) => db.transaction().execute((trx) => change(trx, undefined as never)),
    },
    tell: async (trx, { conversationId, destination, attempts, errorMessage }, state) => {
      const createdAt = new Date(clock.unixMs());
      const payload = { state, destination, attempts, errorMessage };
      const ids = { eventId: newId(), accountId, conversationId };
      await insertEvent(trx, { ...ids, type: state, payload, createdAt, callbackUrl: 'http://receiver/' });
    },
    ...options,
  });
  return { deliverer, rows, deliveries: new Deliveries({ db, clock, seal, rows, deliverer, ownStore }) };
}

export interface TestWish {
  url: string;
  nameId?: string;
  startedAt?: Date;
  credentials?: Secret | undefined;
}

/** A recording that goes on, with a delivery. @returns its id */
export async function startRecording(
  db: Db,
  rows: DeliveryRows,
  {
    url,
    nameId = newId(),
    startedAt = new Date('2026-11-21T18:30:00Z'),
    credentials: given = credentials,
  }: TestWish,
): Promise<string> {
  const recordingId = newId();
  const ids = { recordingId, conversationId: `c${recordingId}`, accountId };
  const about = { url, applicationKey: 'app', nameId };
  const sealedCredentials = seal.seal(given, credentialsAbout(about));
  await db.transaction().execute(async (trx) => {
    await insertRecording(trx, {
      ...ids,
      ...{ kind: 'call', rateHz: 8000, startSample: 0, startedAt },
      ...{ sealedKey: 'sealed', spoolDir: '/spool', node },
    });
    await rows.insert(
      trx,
      { ...ids, startedAt },
      { ...about, sealedCredentials, format: 'wav', stereo: false },
    );
  });
  return recordingId;
}

export async function endOf(
  db: Db,
  rows: DeliveryRows,
  recordingId: string,
  { reason = 'stopped', fileSamples = 8000 } = {},
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const end = { reason, endSample: fileSamples, fileSamples, recordedSamples: fileSamples };
    const row = await endRecording(trx, recordingId, { ...end, endedAt: new Date() });
    if (row) await rows.recordingEnded(trx, row);
  });
}

export async function rowOf(db: Db, recordingId: string): Promise<Delivery> {
  const row = await deliveryOfRecording(db, recordingId);
  if (!row) throw new Error(`no delivery of ${recordingId}`);
  return row;
}

/** Asks until it is so. */
export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineUs = systemClock.monotonicUs() + 30_000_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (systemClock.monotonicUs() > deadlineUs) throw new Error(`${what}: not within 30 s`);
    await sleep(systemClock, 5);
  }
}

export function inState(db: Db, recordingId: string, ...states: DeliveryState[]): Promise<Delivery> {
  return until(`${recordingId} ${states}`, async () => {
    const row = await rowOf(db, recordingId);
    return states.includes(row.state) ? row : undefined;
  });
}

/** What was told of the recording, in order. */
export async function toldOf(db: Db, recordingId: string): Promise<string[]> {
  const events = await db
    .selectFrom('events')
    .select('type')
    .where('conversationId', '=', `c${recordingId}`)
    .orderBy('sequence')
    .execute();
  return events.map(({ type }) => type);
}
