import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LinkSigner } from '../auth/signed-link.ts';
import type { Door } from '../call/own-recordings.ts';
import type { Clock } from '../clock.ts';
import { type AudioFileFormat, audioFileFormats } from '../container/audio-file.ts';
import type { Recording } from '../database/schema.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { fileNameOf } from './file-name.ts';
import { fileWishes } from './recording-body.ts';
import { answerRendition, type RenditionAnswerOptions } from './rendition-answer.ts';

export interface MediaRoutesOptions extends RenditionAnswerOptions {
  links: LinkSigner;
  clock: Clock;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
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

/** As the mix, left and right (`render/sides.ts`). */
export function stereoPath(recordingId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/stereo.${format}`;
}

/** The mix as long as the conversation: silent until the recording began. */
export function conversationPath(recordingId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/conversation.${format}`;
}

/** The file that the recording was started for. */
export function filePath(recordingId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/file.${format}`;
}

export function channelPath(recordingId: string, trackId: string, format: AudioFileFormat): string {
  return `/media/recordings/${recordingId}/channels/${trackId}.${format}`;
}

/** Which file a link of `mediaRoutes` gives. */
export function mediaDoor(links: LinkSigner, clock: Clock): Door {
  const path = /^\/media\/recordings\/([^/]+)\/(mix|file|conversation|channels\/([^/]+))\.(?:wav|mp3|mp4)$/;
  return ({ pathname, searchParams }) => {
    const [, recordingId, file, trackId] = path.exec(pathname) ?? [];
    if (recordingId === undefined) return undefined;
    const { expires, signature } = Object.fromEntries(searchParams);
    links.verify(pathname, { expires, signature }, clock.unixMs());
    if (trackId !== undefined) return { recordingId, kind: 'channel', trackId };
    return { recordingId, kind: file === 'conversation' ? file : 'mix', trackId };
  };
}

/** Files of recordings by signed link, for clients that send no headers (docs/dialects/sift.md, G21). */
export function mediaRoutes(app: FastifyInstance, options: MediaRoutesOptions): void {
  for (const [kind, file] of [
    ['mix', 'mix'],
    ['stereo', 'stereo'],
    ['conversation', 'conversation'],
    ['channel', 'channels/:trackId'],
    ['file', 'file'],
  ] as const) {
    const url = `/media/recordings/:recordingId/${file}.:format(^(?:${audioFileFormats.join('|')})$)`;
    const handler = (request: FastifyRequest, reply: FastifyReply) =>
      serveMedia(kind, request, reply, options);
    app.route({ method: ['GET', 'HEAD'], url, exposeHeadRoute: false, handler });
  }
}

async function serveMedia(
  kind: RenditionRequest['kind'] | 'file',
  request: FastifyRequest,
  reply: FastifyReply,
  options: MediaRoutesOptions,
): Promise<FastifyReply> {
  const { links, clock, recordingOf } = options;
  const url = new URL(request.url, 'http://local');
  const { expires, signature } = Object.fromEntries(url.searchParams);
  links.verify(url.pathname, { expires, signature }, clock.unixMs());
  const { recordingId, trackId, format } = request.params as MediaParameters;
  const recording = await recordingOf(recordingId);
  if (kind === 'file') return await sendFile(request, reply, recording, options, format);
  const rendition = { conversationId: recording.conversationId, recordingId, kind, trackId, format };
  const disposition = dispositionOf(recording, kind === 'mix' ? 'mono' : (trackId ?? kind), format);
  return await answerRendition(request, reply, rendition, disposition, options);
}

function dispositionOf(recording: Recording, content: string, format: AudioFileFormat): string {
  return `inline; filename="${fileNameOf(recording, content, format)}"`;
}

/** Answers with the file that a recording was started for; 202 before its end. @throws CallreelError as `RenderPool.open` */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  recording: Recording,
  options: RenditionAnswerOptions,
  format: AudioFileFormat = fileWishes(recording).format,
): Promise<FastifyReply> {
  const { conversationId, recordingId, state } = recording;
  if (state !== 'ended') return reply.code(202).header('retry-after', '1').send();
  const kind = fileWishes(recording).stereo ? 'stereo' : 'mix';
  const rendition: RenditionRequest = { conversationId, recordingId, kind, trackId: undefined, format };
  const disposition = dispositionOf(recording, kind === 'mix' ? 'mono' : kind, format);
  return await answerRendition(request, reply, rendition, disposition, options);
}
