import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LinkSigner } from '../auth/signed-link.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Clock } from '../clock.ts';
import type { AudioFileFormat } from '../container/audio-file.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { parseByteRange } from './byte-range.ts';

export interface MediaRoutesOptions {
  log: Logger;
  links: LinkSigner;
  clock: Clock;
  calls: LiveCalls;
  renders: RenderPool;
  /** Where the recording's spool is; undefined: no such recording. */
  conversationOf(recordingId: string): Promise<string | undefined>;
}

interface MediaParameters {
  recordingId: string;
  trackId?: string;
  format: AudioFileFormat;
}

/** The path of a file of a recording; signed links are made of these. */
export function mixPath(recordingId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/mix.${format}`;
}

/** The mix as long as the conversation: silent until the recording began. */
export function conversationPath(recordingId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/conversation.${format}`;
}

export function channelPath(recordingId: string, trackId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/channels/${trackId}.${format}`;
}

/**
 * Files of recordings by signed link, for clients that send no headers (features.md, G21). A finished recording has
 * an exact length and answers ranges; one that still grows answers with what is there.
 */
export function mediaRoutes(app: FastifyInstance, options: MediaRoutesOptions): void {
  for (const [kind, file] of [
    ['mix', 'mix'],
    ['conversation', 'conversation'],
    ['channel', 'channels/:trackId'],
  ] as const) {
    const url = `/media/recordings/:recordingId/${file}.:format(^(?:wav|mp3|mp4)$)`;
    const handler = (request: FastifyRequest, reply: FastifyReply) =>
      serveMedia(kind, request, reply, options);
    app.route({ method: ['GET', 'HEAD'], url, exposeHeadRoute: false, handler });
  }
}

async function serveMedia(
  kind: RenditionRequest['kind'],
  request: FastifyRequest,
  reply: FastifyReply,
  { log, links, clock, calls, renders, conversationOf }: MediaRoutesOptions,
): Promise<FastifyReply> {
  const url = new URL(request.url, 'http://local');
  const { expires, signature } = Object.fromEntries(url.searchParams);
  links.verify(url.pathname, { expires, signature }, clock.unixMs());
  const { recordingId, trackId, format } = request.params as MediaParameters;
  const conversationId = await conversationOf(recordingId);
  if (conversationId === undefined) throw new CallreelError('NOT_FOUND', `no recording ${recordingId}`);
  await calls.settle(conversationId);
  const rendition: RenditionRequest = {
    conversationId,
    recordingId,
    kind,
    trackId,
    format,
  };
  const open = await renders.open(rendition);
  const { contentType, byteLength, complete } = open.head;
  void reply.header('content-type', contentType).header('cache-control', 'private, no-store');
  const range = complete ? parseByteRange(request.headers.range, byteLength) : undefined;
  if (range === 'unsatisfiable') {
    open.release();
    return reply.code(416).header('content-range', `bytes */${byteLength}`).send();
  }
  const first = range?.first ?? 0;
  const last = range?.last ?? byteLength - 1;
  if (complete) void reply.header('accept-ranges', 'bytes');
  if (range) void reply.code(206).header('content-range', `bytes ${first}-${last}/${byteLength}`);
  void reply.header('content-length', last - first + 1);
  if (request.method === 'HEAD' || last < first) {
    open.release();
    return reply.send();
  }
  const body = Readable.from(open.read(first, last), { objectMode: false });
  // Too late for an error's answer: the connection is cut, which the client sees by the length.
  body.on('error', (error) => log.error({ error, ...rendition }, 'a file broke off while it was rendered'));
  return reply.send(body);
}
