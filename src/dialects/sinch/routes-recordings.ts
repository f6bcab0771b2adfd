import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import {
  getStoredFile,
  getStoredTranscript,
  listStoredFiles,
  setStoredFileRemoved,
} from '../../database/stored-files.ts';
import { getTranscript, lastTranscriptAt } from '../../database/transcripts.ts';
import { ownStoreKey } from '../../delivery/destinations/object-name.ts';
import type { OwnStore } from '../../delivery/destinations/own-store.ts';
import type { SinchDoor, SinchRequest } from './door.ts';
import { SinchError } from './errors.ts';
import type { SinchRoutesOptions } from './routes-options.ts';
import { ownName } from './store-links.ts';
import { contentTypeOf, readStoredRecordingsQuery, storedRecordingBody } from './stored-recordings.ts';

const path = '/calling/v1/recording';
const chunkBytes = 256 * 1024;

/** Undefined: whoever has a signed link. */
type Asking = Pick<SinchRequest, 'application' | 'isOwner'>;

function mayHave({ applicationKey }: { applicationKey: string }, asking: Asking | undefined): boolean {
  return !asking || asking.isOwner || applicationKey === asking.application.key;
}

/** `/calling/v1/recording`: the files of our own store, of an application its own ones. */
export function recordingRoutes(door: SinchDoor, options: SinchRoutesOptions): void {
  const { db, publicUrl, storeLinks, ownStore, credentials } = options;

  const found = async (name: string, asking?: Asking) => {
    const own = asking ? [ownStoreKey(asking.application.key, name)] : [];
    for (const key of [...own, name]) {
      const row = await getStoredFile(db, credentials.accountId, key);
      if (row && mayHave(row, asking)) return row;
    }
    throw notFound();
  };

  door.route('GET', path, async ({ application: { accountId, key }, isOwner, query }) => {
    const { from, to, page, pageSize } = readStoredRecordingsQuery(query);
    const filter = { from, to, applicationKey: isOwner ? undefined : key };
    const offset = (page - 1) * pageSize;
    const rows = await listStoredFiles(db, accountId, { offset, limit: pageSize, filter });
    return rows.map((row) => storedRecordingBody(row, key, storeLinks.url(publicUrl(), row.key)));
  });

  const transcriptKey = async (name: string, asking?: Asking): Promise<string | undefined> => {
    const own = asking ? [ownStoreKey(asking.application.key, name)] : [];
    for (const key of [...own, name]) {
      const row = await getStoredTranscript(db, credentials.accountId, key);
      if (row && mayHave(row, asking)) return key;
    }
    return undefined;
  };

  /** A recording, or the transcript of one. */
  const foundFile = async (name: string, asking?: Asking): Promise<ServedFile> => {
    const transcript = await transcriptKey(name, asking);
    if (transcript !== undefined) return { key: transcript, contentType: 'application/json' };
    const { key, format } = await found(name, asking);
    return { key, contentType: contentTypeOf(format) };
  };

  /** What lies beside a recording goes with it, unless a later one has been written over it. */
  const removeTranscriptOf = async (recordingId: string): Promise<void> => {
    const row = await getTranscript(db, recordingId);
    if (!row?.key || row.destination === null) return;
    const last = await lastTranscriptAt(db, row.destination);
    if (last?.recordingId === recordingId) await ownStore?.remove(row.key);
  };

  door.openRoute('GET', `${path}/:key`, async (request, reply) => {
    const query = request.query as Readonly<Record<string, unknown>>;
    const { key = '' } = request.params as { key?: string };
    if (query.signature !== undefined) {
      storeLinks.verify(key, query);
      return await sendStored(ownStore, await foundFile(key), reply);
    }
    return await sendStored(ownStore, await foundFile(key, await door.identified(request, reply)), reply);
  });

  door.route('DELETE', `${path}/:key`, async (request) => {
    const { key: name = '' } = request.params;
    const transcript = await transcriptKey(name, request);
    if (transcript !== undefined) {
      if ((await ownStore?.bytesOf(transcript)) === undefined) throw notFound();
      await ownStore?.remove(transcript);
      return undefined;
    }
    const row = await found(name, request);
    await setStoredFileRemoved(db, row.deliveryId);
    await ownStore?.remove(row.key);
    await removeTranscriptOf(row.recordingId);
    return undefined;
  });

  for (const method of ['GET', 'DELETE'] as const)
    door.route(method, `${path}/`, async () => {
      throw new SinchError(40002, 'No key specified');
    });
}

function notFound(): SinchError {
  return new SinchError(40400, 'Recording not found');
}

interface ServedFile {
  key: string;
  contentType: string;
}

/** @throws SinchError 40400 for what is not there any more */
async function sendStored(
  store: OwnStore | undefined,
  { key, contentType }: ServedFile,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const bytes = await store?.bytesOf(key);
  if (!store || bytes === undefined) throw notFound();
  const name = ownName(key).replaceAll(/[^\w.~-]/g, '_');
  void reply
    .header('content-type', contentType)
    .header('content-length', bytes)
    .header('content-disposition', `attachment; filename="${name}"`);
  return await reply.send(Readable.from(chunksOf(store, key, bytes)));
}

async function* chunksOf(store: OwnStore, key: string, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += chunkBytes)
    yield await store.read(key, at, Math.min(at + chunkBytes, bytes));
}
