import { constants, getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { collectWhenQuiet } from '../quiet-collection.ts';
import { recordingMarks } from '../render/recording-marks.ts';
import { clipView, recordingView } from '../render/recording-view.ts';
import { openRendition, type Rendition } from '../render/rendition.ts';
import { trackMarks } from '../render/track-marks.ts';
import { Secret } from '../secret.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { warmUpManifests } from '../spool/manifest-warm-up.ts';
import type { SpoolRecording } from '../spool/reader.ts';
import { OpenedSpools } from './opened-spools.ts';
import type { RenderThreadData } from './render-pool.ts';
import type { FoundMarks, RenderCommand, RenderReply, RenditionRequest } from './render-protocol.ts';
import { RenditionCache, sliceChunks } from './rendition-cache.ts';
import { Turns } from './turns.ts';

/** Reads spools and makes files of them, for `render-pool`. On Linux the priority is the thread's own. */
const { spoolDir, masterKey, lossConcealment, task } = workerData as RenderThreadData;
const key = new Secret(Buffer.from(masterKey));
/** Behind calls, and a little before what encodes, measures and writes along. */
const plainPriority = 15;
const cacheBytes = 64 * 1024 * 1024;
const cache = new RenditionCache(cacheBytes);
const spools = new OpenedSpools(key);

type RecordingId = Pick<RenditionRequest, 'conversationId' | 'recordingId'>;

interface OpenFile {
  rendition: Rendition;
  cacheKey: string | undefined;
  chunks?: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
}

const files = new Map<number, OpenFile>();

const turns = new Turns(systemClock);
/** Of every view. */
const manner = { turn: () => turns.take(), ...(lossConcealment === 'off' && { lossConcealment }) };

function open({ conversationId, recordingId }: RecordingId): SpoolRecording {
  return spools.open(conversationDirectoryOf(spoolDir, conversationId), recordingId);
}

async function marksOf(recording: RecordingId): Promise<FoundMarks> {
  const view = { ...recordingView(open(recording)), ...manner };
  return { rateHz: view.rateHz, ...(await recordingMarks(view)) };
}

function openFile({ conversationId, recordingId, kind, trackId, format }: RenditionRequest): OpenFile {
  const recording = open({ conversationId, recordingId });
  const view = {
    ...(kind === 'clip' ? clipView(recording, trackId ?? '') : recordingView(recording)),
    ...manner,
  };
  const rendition = openRendition(view, requestOf({ kind, trackId, format }));
  const cached = format !== 'wav' && rendition.complete;
  return { rendition, cacheKey: cached ? `${recordingId}/${trackId ?? kind}.${format}` : undefined };
}

function requestOf({
  kind,
  trackId = '',
  format,
}: Pick<RenditionRequest, 'kind' | 'trackId' | 'format'>): Parameters<typeof openRendition>[1] {
  if (kind === 'channel' || kind === 'clip') return { kind: 'channel', trackId, format };
  if (kind === 'party') return { kind, trackId, format };
  return kind === 'channels' ? { kind, format: 'wav' } : { kind, format };
}

function readChunks({ rendition, cacheKey }: OpenFile, first: number, last: number): OpenFile['chunks'] {
  const whole = cacheKey === undefined ? undefined : cache.get(cacheKey);
  if (whole) return sliceChunks(whole, first, last + 1);
  // Its head goes along with the answer to `open`.
  const isWhole = first <= rendition.head.length && last === rendition.byteLength - 1;
  return cacheKey !== undefined && isWhole
    ? kept(cacheKey, rendition, first)
    : rendition.read(first, last + 1);
}

/** Passes the chunks on from a byte of the head on, and keeps the whole file once all were read. */
async function* kept(cacheKey: string, rendition: Rendition, first: number): AsyncGenerator<Uint8Array> {
  const { head } = rendition;
  const all: Uint8Array[] = [head];
  if (first < head.length) yield head.subarray(first);
  for await (const chunk of rendition.read(head.length)) {
    all.push(chunk);
    yield chunk;
  }
  cache.put(cacheKey, all);
}

async function answer(command: RenderCommand): Promise<RenderReply | undefined> {
  const { id } = command;
  if (command.verb === 'forget') {
    cache.drop(command.recordingId);
    spools.drop(command.recordingId);
    return undefined;
  }
  if (command.verb === 'recordingMarks')
    return { id, reply: 'recordingMarks', found: await marksOf(command) };
  if (command.verb === 'open' || command.verb === 'head') {
    turns.quick();
    const file = openFile(command.request);
    if (command.verb === 'open') files.set(id, file);
    const { contentType, byteLength, head: leadingBytes, complete, trackIds } = file.rendition;
    const head = { contentType, byteLength, leadingBytes, complete, ...(trackIds && { trackIds }) };
    return { id, reply: 'head', head };
  }
  if (command.verb === 'marks') {
    return { id, reply: 'marks', marks: trackMarks(recordingView(open(command))) };
  }
  if (command.verb === 'read' && command.request) files.set(id, openFile(command.request));
  const file = files.get(id);
  if (command.verb === 'release') {
    files.delete(id);
    await file?.chunks?.return?.();
    return undefined;
  }
  if (!file) throw new CallreelError('NOT_FOUND', 'the rendition was released');
  if (command.verb === 'read') file.chunks = readChunks(file, command.first, command.last);
  const next = await file.chunks?.next();
  return next && !next.done ? { id, reply: 'chunk', chunk: next.value } : { id, reply: 'done' };
}

function failure(id: number, error: unknown): RenderReply {
  const known =
    error instanceof CallreelError
      ? error
      : new CallreelError('RENDER_FAILED', String(error), { cause: error });
  return { id, reply: 'error', error: known.toJSON() };
}

/** What is kept here is copied, anything else goes as it is. */
function memoryOf(reply: RenderReply): ArrayBuffer[] {
  if (reply.reply !== 'chunk') return [];
  const file = files.get(reply.id);
  if (!file || file.cacheKey !== undefined) return [];
  const { buffer, byteLength } = reply.chunk;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

// Never before what it is: a server that stands back may not be let to.
setPriority(Math.max(task === 'plain' ? plainPriority : constants.priority.PRIORITY_LOW, getPriority()));
parentPort?.on('message', (command: RenderCommand) => {
  answer(command)
    .catch((error: unknown) => (command.verb === 'release' ? undefined : failure(command.id, error)))
    .then((reply) => reply && parentPort?.postMessage(reply, memoryOf(reply)));
});
warmUpManifests();
collectWhenQuiet(systemClock, { atOnce: true });
