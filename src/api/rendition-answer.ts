import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LiveCalls } from '../call/live-calls.ts';
import type { Logger } from '../logger.ts';
import { releasedOnceSent } from '../released-bytes.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { parseByteRange } from './byte-range.ts';

export interface RenditionAnswerOptions {
  log: Logger;
  calls: Pick<LiveCalls, 'settle'>;
  renders: Pick<RenderPool, 'open'>;
}

/**
 * Answers GET and HEAD with a file of a recording. A finished one has an exact length and answers ranges; one that
 * still grows answers with what is there.
 * @param disposition of the file, for `Content-Disposition`
 * @throws CallreelError as `RenderPool.open`
 */
export async function answerRendition(
  request: FastifyRequest,
  reply: FastifyReply,
  rendition: RenditionRequest,
  disposition: string,
  { log, calls, renders }: RenditionAnswerOptions,
): Promise<FastifyReply> {
  await calls.settle(rendition.conversationId);
  const open = await renders.open(rendition);
  const { contentType, byteLength, complete, trackIds } = open.head;
  void reply.header('content-type', contentType).header('cache-control', 'private, no-store');
  const range = complete ? parseByteRange(request.headers.range, byteLength) : undefined;
  if (range === 'unsatisfiable') {
    open.release();
    return reply.code(416).header('content-range', `bytes */${byteLength}`).send();
  }
  void reply.header('content-disposition', disposition);
  if (trackIds) void reply.header('callreel-channels', trackIds.join(', '));
  const first = range?.first ?? 0;
  const last = range?.last ?? byteLength - 1;
  if (complete) void reply.header('accept-ranges', 'bytes');
  if (range) void reply.code(206).header('content-range', `bytes ${first}-${last}/${byteLength}`);
  void reply.header('content-length', last - first + 1);
  if (request.method === 'HEAD' || last < first) {
    open.release();
    return reply.send();
  }
  const chunks = releasedOnceSent(open.read(first, last), () => ({ body, response: reply.raw }));
  const body: Readable = Readable.from(chunks, { objectMode: false });
  // Too late for an error's answer: the connection is cut, which the client sees by the length.
  body.on('error', (error) => log.error({ error, ...rendition }, 'a file broke off while it was rendered'));
  return reply.send(body);
}
