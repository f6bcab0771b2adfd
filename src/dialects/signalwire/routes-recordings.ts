import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listConnections } from '../../database/connections.ts';
import { type Cursor, decodeCursor, encodeCursor } from '../../database/page.ts';
import { getRecording, pageRecordings } from '../../database/recordings.ts';
import type { Recording } from '../../database/schema.ts';
import { CallreelError } from '../../errors.ts';
import { vendorErrors } from './error-body.ts';
import { recordingBody } from './recording-body.ts';
import type { SignalwireRoutesOptions } from './routes-options.ts';

const path = '/api/relay/rest/recordings';
const list = 'signalwire-recordings';
const moment = z.iso
  .datetime({ offset: true })
  .max(40)
  .or(z.iso.date())
  .transform((text) => new Date(text));

const query = z.object({
  page_size: z.coerce.number().int().min(1).max(1000).default(50),
  /** For people; the token says where the page is. */
  page_number: z.coerce.number().int().min(0).max(1e9).default(0),
  page_token: z.string().max(300).optional(),
  created_after: moment.optional(),
  created_before: moment.optional(),
});
const byId = z.object({ recordingId: z.string().max(64) });

/** `/api/relay/rest/recordings`: every recording of the account, the latest first. */
export function recordingRoutes(app: FastifyInstance, options: SignalwireRoutesOptions): void {
  const { accountId, db, eraser, links, log, publicUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();
  vendorErrors(app, 'relay-rest', log);

  const bodies = async (rows: readonly Recording[]) => {
    const ids = rows.flatMap(({ connectionId }) => connectionId ?? []);
    const connections = await listConnections(db, accountId, ids);
    const byId = new Map(connections.map((row) => [row.connectionId, row]));
    return rows.map((row) =>
      recordingBody(row, byId.get(row.connectionId ?? ''), links.url(publicUrl(), row.recordingId)),
    );
  };

  api.get(path, { schema: { querystring: query } }, async ({ query: given, url }) => {
    const { page_size: limit, page_number: number, page_token: token } = given;
    const page = await pageRecordings(db, accountId, {
      limit,
      cursor: token ? decodeCursor(list, token) : undefined,
      filter: { erased: false, startedFrom: given.created_after, startedTo: given.created_before },
    });
    const at = new URL(url, publicUrl()).searchParams;
    const link = (pageNumber: number, cursor?: Cursor): string => {
      const parameters = new URLSearchParams(at);
      parameters.set('page_number', String(pageNumber));
      parameters.set('page_size', String(limit));
      parameters.delete('page_token');
      if (cursor) parameters.set('page_token', encodeCursor(list, cursor));
      return `${publicUrl()}${path}?${parameters}`;
    };
    return {
      links: {
        self: token ? `${publicUrl()}${url}` : link(0),
        first: link(0),
        ...(page.next && { next: link(number + 1, page.next) }),
        ...(page.previous && { prev: link(Math.max(0, number - 1), page.previous) }),
      },
      data: await bodies(page.rows),
    };
  });

  api.get(`${path}/:recordingId`, { schema: { params: byId } }, async ({ params: { recordingId } }) => {
    const row = await getRecording(db, accountId, recordingId);
    if (!row || row.erasedAt) throw unknownRecording(recordingId);
    return (await bodies([row]))[0];
  });

  api.delete(
    `${path}/:recordingId`,
    { schema: { params: byId } },
    async ({ params: { recordingId } }, reply) => {
      await eraser.erase(accountId, recordingId);
      return reply.code(204).send();
    },
  );
}

function unknownRecording(recordingId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such recording', { where: recordingId });
}
