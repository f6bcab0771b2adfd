import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Recording } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';
import { errors } from './error-body.ts';
import { file } from './fields.ts';
import { recordingParameter } from './recording-routes.ts';
import { answerRendition, type RenditionAnswerOptions } from './rendition-answer.ts';

export interface DownloadRoutesOptions extends RenditionAnswerOptions {
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
}

const query = z.object({
  format: z
    .enum(['wav', 'mp3'])
    .default('wav')
    .meta({ description: 'Of the file.', examples: ['wav'] }),
  channels: z
    .string()
    .max(64)
    .regex(/^[\w-]+$/, 'expected mix, all, or the id of a channel')
    .default('mix')
    .meta({
      description:
        '`mix`: everybody in one channel. `all`: one channel for each stay of a party, in the order of joining, as ' +
        'long as the mix; WAV only. The id of a channel: that stay alone, from its joining to its leaving.',
      examples: ['all'],
    }),
});
const content = { 'audio/wav': { schema: file }, 'audio/mpeg': { schema: file } };
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
      const { format, channels } = request.query;
      const recording = await options.recordingOf(request.params.recordingId);
      const rendition = renditionOf(recording, channels, format);
      void reply.header(
        'content-disposition',
        `attachment; filename="${fileNameOf(recording, channels, format)}"`,
      );
      try {
        return await answerRendition(request, reply, rendition, options);
      } catch (error) {
        // What fails is no file.
        void reply.removeHeader('content-disposition');
        throw error;
      }
    },
  });
}

function renditionOf(
  { conversationId, recordingId }: Recording,
  channels: string,
  format: 'wav' | 'mp3',
): RenditionRequest {
  const common = { conversationId, recordingId, format, trackId: undefined };
  if (channels === 'mix') return { ...common, kind: 'mix' };
  if (channels !== 'all') return { ...common, kind: 'channel', trackId: channels };
  if (format === 'wav') return { ...common, kind: 'channels' };
  throw new CallreelError('REQUEST_INVALID', 'MP3 has no more than two channels: take wav', {
    where: 'querystring.format',
  });
}

/** Letters, digits, `-` and a dot: nothing in it comes from who calls. */
function fileNameOf({ recordingId, startedAt }: Recording, channels: string, format: string): string {
  const began = startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${began}Z-${recordingId}-${channels}.${format}`;
}
