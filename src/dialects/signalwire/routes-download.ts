import type { FastifyInstance } from 'fastify';
import { vendorErrors } from './error-body.ts';
import type { SignalwireDownloadOptions } from './routes-options.ts';

/**
 * `/api/v1/recordings/{id}/download` (W27): by signed link, or with the account's name and token. 202 with `Retry-After`
 * while the recording runs.
 */
export function downloadRoutes(app: FastifyInstance, options: SignalwireDownloadOptions): void {
  const { links, log, authenticate, recordingOf, sendFile } = options;
  vendorErrors(app, 'relay-rest', log);
  app.route<{ Params: { recordingId: string }; Querystring: Record<string, unknown> }>({
    method: ['GET', 'HEAD'],
    url: '/api/v1/recordings/:recordingId/download',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const { recordingId } = request.params;
      if (request.query.signature === undefined) authenticate(request);
      else links.verify(recordingId, request.query);
      return await sendFile(request, reply, await recordingOf(recordingId));
    },
  });
}
