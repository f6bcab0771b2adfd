import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getConnection, pageConnections } from '../../database/connections.ts';
import type { Connection } from '../../database/schema.ts';
import { CallreelError } from '../../errors.ts';
import { moment, pageBody, pageQuery, pageRequest } from './pages.ts';
import type { SiftRoutesOptions } from './routes-options.ts';

const list = 'connections';
const party = z.string().max(500).optional();

const connectionsQuery = z.object({
  ...pageQuery,
  from: party,
  to: party,
  status: z.enum(['connecting', 'connected', 'failed', 'finished']).optional(),
  direction: z.enum(['incoming', 'outgoing']).optional(),
  min_created: moment.optional(),
  max_created: moment.optional(),
});

/** Sift's Connection object; `end_time` once it ended. */
function connectionBody(row: Connection): Record<string, unknown> {
  return {
    connection_id: row.connectionId,
    account_id: row.accountId,
    status: row.status,
    start_time: row.startTime.toISOString(),
    end_time: row.endTime?.toISOString() ?? null,
    from: row.from,
    to: row.to,
    direction: row.direction,
  };
}

/** `/v0/connections`: every party that ever was on the line. */
export function connectionRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  const { accountId, db, publicUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get('/v0/connections', { schema: { querystring: connectionsQuery } }, async ({ query, url }) => {
    const { from, to, status, direction, min_created: minCreated, max_created: maxCreated } = query;
    const filter = { from, to, status, direction, minCreated, maxCreated };
    const page = await pageConnections(db, accountId, { ...pageRequest(list, query), filter });
    return pageBody(list, page, page.rows.map(connectionBody), { publicUrl: publicUrl(), url });
  });

  api.get(
    '/v0/connections/:connectionId',
    { schema: { params: z.object({ connectionId: z.string().max(64) }) } },
    async ({ params: { connectionId } }) => {
      const row = await getConnection(db, accountId, connectionId);
      if (row) return connectionBody(row);
      throw new CallreelError('NOT_FOUND', 'there is no such connection', { where: connectionId });
    },
  );
}
