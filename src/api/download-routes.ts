import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AudioFileFormat, audioFileFormats } from '../container/audio-file.ts';
import type { Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { errors } from './error-body.ts';
import { file, identifierParameter } from './fields.ts';
import { fileNameOf } from './file-name.ts';
import { fileWishes } from './recording-body.ts';
import { recordingParameter } from './recording-routes.ts';
import { answerRendition, type RenditionAnswerOptions } from './rendition-answer.ts';

export interface DownloadRoutesOptions extends RenditionAnswerOptions {
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const query = z.strictObject({
  format: z
    .enum(audioFileFormats)
    .optional()
    .meta({
      description:
        'Of the file; `mp4` is AAC. Unless given the `format` of the recording; with `all`, `wav`.',
      examples: ['mp4'],
    }),
  channels: z
    .string()
    .max(64)
    .regex(
      /^(mono|stereo|left|right|all|[0-9a-f]{16})$/,
      'expected mono, stereo, left, right, all, or the id of a channel',
    )
    .optional()
    .meta({
      description:
        '`mono`: everybody in one channel. `stereo`: of a call what the party says on the left, what it hears on the ' +
        'right; of a conference the party that joined first on the left, all others on the right. `left`, `right`: ' +
        'one side of that alone. `all`: one channel for each stay of a party, in the order of joining; WAV only. All ' +
        'of these are equally long. The id of a channel: that stay alone, from its joining to its leaving. Unless ' +
        'given `stereo` where the recording is, else `mono`.',
      examples: ['stereo'],
    }),
});
const kinds: Readonly<Record<string, Exclude<RenditionRequest['kind'], 'channel' | 'clip'> | undefined>> = {
  mono: 'mix',
  stereo: 'stereo',
  left: 'left',
  right: 'right',
  all: 'channels',
};
const content = {
  'audio/wav': { schema: file },
  'audio/mpeg': { schema: file },
  'audio/mp4': { schema: file },
};
const answers = {
  200: {
    description:
      'The file, named by `Content-Disposition`; of a recording that goes on, what is there by now. With `all`, the ' +
      'header `Callreel-Channels` lists the `channel_id` of each channel, in their order.',
    content,
  },
  206: {
    description: 'The range that was asked for (RFC 9110, section 14); of ended recordings only.',
    content,
  },
  416: z
    .undefined()
    .meta({ description: 'The range lies behind the end; `Content-Range` says how long it is.' }),
};

/** `/v1/recordings/{id}/download`: a file of the recording, by mix, party, or everybody side by side. */
export function downloadRoutes(app: FastifyInstance, options: DownloadRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: ['GET', 'HEAD'],
    url: '/v1/recordings/:recordingId/download',
    exposeHeadRoute: false,
    schema: {
      operationId: 'downloadRecording',
      summary: 'A file of a recording',
      tags: ['recordings'],
      params: recordingParameter,
      querystring: query,
      response: { ...answers, ...errors('NOT_FOUND', 'RECORDING_ERASED', 'RENDER_FAILED', 'SPOOL_CORRUPT') },
    },
    handler: async (request, reply) => {
      const recording = await options.recordingOf(request.params.recordingId);
      const wanted = fileOf(recording, request.query);
      const disposition = `attachment; filename="${fileNameOf(recording, wanted.channels, wanted.format)}"`;
      return await answerRendition(request, reply, renditionOf(recording, wanted), disposition, options);
    },
  });
}

/** `/v1/recordings/{id}/consent-clips/{clip}`: what a party said before it consented by voice. */
export function consentClipRoutes(app: FastifyInstance, options: DownloadRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: ['GET', 'HEAD'],
    url: '/v1/recordings/:recordingId/consent-clips/:clipId',
    exposeHeadRoute: false,
    schema: {
      operationId: 'downloadConsentClip',
      summary: 'What a party said before it consented',
      description:
        'WAV, one channel; there from the moment the consent is answered, erased with the recording.',
      tags: ['recordings'],
      params: recordingParameter.extend({ clipId: identifierParameter('The clip.') }),
      response: {
        200: { description: 'The clip.', content: { 'audio/wav': { schema: file } } },
        206: { ...answers[206], content: { 'audio/wav': { schema: file } } },
        416: answers[416],
        ...errors('NOT_FOUND', 'RECORDING_ERASED', 'RENDER_FAILED', 'SPOOL_CORRUPT'),
      },
    },
    handler: async (request, reply) => {
      const { recordingId, clipId } = request.params;
      const recording = await options.recordingOf(recordingId);
      const { conversationId } = recording;
      const format = 'wav';
      const rendition = { conversationId, recordingId, kind: 'clip', trackId: clipId, format } as const;
      const disposition = `attachment; filename="${fileNameOf(recording, `consent-${clipId}`, format)}"`;
      return await answerRendition(request, reply, rendition, disposition, options);
    },
  });
}

interface WantedFile {
  channels: string;
  format: AudioFileFormat;
}

/** What is not said is as the recording was started for. */
function fileOf(recording: Recording, { format, channels }: z.output<typeof query>): WantedFile {
  const wishes = fileWishes(recording);
  return {
    channels: channels ?? (wishes.stereo ? 'stereo' : 'mono'),
    format: format ?? (channels === 'all' ? 'wav' : wishes.format),
  };
}

/** @throws CallreelError REQUEST_INVALID */
function renditionOf(
  { conversationId, recordingId }: Recording,
  { channels, format }: WantedFile,
): RenditionRequest {
  const common = { conversationId, recordingId, format, trackId: undefined };
  const kind = kinds[channels];
  if (kind === undefined) return { ...common, kind: 'channel', trackId: channels };
  if (kind === 'channels' && format !== 'wav')
    throw new CallreelError('REQUEST_INVALID', 'a file of all channels is WAV: expected wav', {
      where: 'querystring.format',
    });
  return { ...common, kind };
}
