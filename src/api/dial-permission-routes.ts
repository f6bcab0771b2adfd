import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  deleteDialPermission,
  listDialPermissions,
  saveDialPermission,
} from '../database/dial-permissions.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { OutboundRoute } from '../routing/outbound.ts';

export interface DialPermissionRoutesOptions {
  accountId: string;
  db: Db;
  /** @throws CallreelError NUMBER_INVALID, OUTBOUND_FORBIDDEN, NO_TRUNK */
  routeOutbound(accountId: string, target: string): Promise<OutboundRoute>;
}

const prefix = z
  .string()
  .max(260)
  .regex(/^(\+\d{0,15}|sip:[a-z0-9.:-]*)$/, 'expected + and digits, or sip: and a host name in lower case');
const permission = z.object({ prefix, allow: z.boolean() });

/** `/v1/dial-permissions`: what may be dialled. Nothing may until something is allowed. */
export function dialPermissionRoutes(app: FastifyInstance, options: DialPermissionRoutesOptions): void {
  const { accountId, db, routeOutbound } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/dial-permissions',
    { schema: { response: { 200: z.object({ results: z.array(permission) }) } } },
    async () => ({ results: await listDialPermissions(db, accountId) }),
  );

  api.post(
    '/v1/dial-permissions',
    { schema: { body: permission, response: { 200: permission } } },
    async ({ body }) => {
      await saveDialPermission(db, { accountId, ...body });
      return body;
    },
  );

  api.delete(
    '/v1/dial-permissions/:prefix',
    { schema: { params: z.object({ prefix }) } },
    async ({ params }, reply) => {
      if (await deleteDialPermission(db, accountId, params.prefix)) return reply.code(204).send();
      throw new CallreelError('NOT_FOUND', 'no permission is set for this prefix', { where: params.prefix });
    },
  );

  api.get(
    '/v1/dial-route',
    {
      schema: {
        querystring: z.object({ to: z.string().min(1).max(500) }),
        response: { 200: z.object({ target: z.string(), trunks: z.array(z.string()) }) },
      },
    },
    async ({ query }) => {
      const route = await routeOutbound(accountId, query.to);
      if (route.kind === 'sip-uri') return { target: route.uri, trunks: [] };
      return { target: route.number, trunks: route.trunks.map(({ name }) => name) };
    },
  );
}
