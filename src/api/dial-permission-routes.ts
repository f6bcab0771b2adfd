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
import { errors, keyed } from './error-body.ts';
import { flag, text } from './fields.ts';

export interface DialPermissionRoutesOptions {
  accountId: string;
  db: Db;
  /** @throws CallreelError NUMBER_INVALID, OUTBOUND_FORBIDDEN, NO_TRUNK */
  routeOutbound(accountId: string, target: string): Promise<OutboundRoute>;
}

const prefix = z
  .string()
  .max(260)
  .regex(/^(\+\d{0,15}|sip:[a-z0-9.:-]*)$/, 'expected + and digits, or sip: and a host name in lower case')
  .meta({
    description:
      '`+` and the first digits of numbers, `+` alone for all; or `sip:` and a host, `sip:` alone for all.',
    examples: ['+44'],
  });
const permissionShape = {
  prefix,
  allow: flag('Whether it may be dialled; the longest prefix that fits decides.'),
};
const permission = z.object(permissionShape).meta({ description: 'The permission as it stands.' });

/** `/v1/dial-permissions`: what may be dialled. Nothing may until something is allowed. */
export function dialPermissionRoutes(app: FastifyInstance, options: DialPermissionRoutesOptions): void {
  const { accountId, db, routeOutbound } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/dial-permissions',
    {
      schema: {
        operationId: 'listDialPermissions',
        summary: 'What may be dialled',
        tags: ['dialling'],
        response: {
          200: z
            .object({ results: z.array(permission).meta({ description: 'All of them.' }) })
            .meta({ description: 'The permissions; nothing may be dialled without any.' }),
          ...errors(),
        },
      },
    },
    async () => ({ results: await listDialPermissions(db, accountId) }),
  );

  api.post(
    '/v1/dial-permissions',
    {
      schema: {
        operationId: 'saveDialPermission',
        summary: 'Allow or deny a prefix',
        tags: ['dialling'],
        body: z.strictObject(permissionShape),
        response: { 200: permission, ...errors(...keyed) },
      },
    },
    async ({ body }) => {
      await saveDialPermission(db, { accountId, ...body });
      return body;
    },
  );

  api.delete(
    '/v1/dial-permissions/:prefix',
    {
      schema: {
        operationId: 'deleteDialPermission',
        summary: 'Forget a permission',
        tags: ['dialling'],
        params: z.object({ prefix }),
        response: {
          204: z.undefined().meta({ description: 'It is forgotten.' }),
          ...errors(...keyed, 'NOT_FOUND'),
        },
      },
    },
    async ({ params }, reply) => {
      if (await deleteDialPermission(db, accountId, params.prefix)) return reply.code(204).send();
      throw new CallreelError('NOT_FOUND', 'no permission is set for this prefix', { where: params.prefix });
    },
  );

  api.get(
    '/v1/dial-route',
    {
      schema: {
        operationId: 'checkDialRoute',
        summary: 'Which way a call would take',
        description: 'Nothing is dialled.',
        tags: ['dialling'],
        querystring: z.strictObject({
          to: z
            .string()
            .min(1)
            .max(500)
            .meta({ description: 'A number or a SIP URI.', examples: ['+442071838750'] }),
        }),
        response: {
          200: z
            .object({
              target: text('The number in E.164, or the SIP URI.', '+442071838750'),
              trunks: z.array(z.string()).meta({
                description: 'Names of the trunks, in the order they are tried.',
                examples: [['carrier']],
              }),
            })
            .meta({ description: 'It may be dialled, and this way.' }),
          ...errors('NUMBER_INVALID', 'OUTBOUND_FORBIDDEN', 'NO_TRUNK'),
        },
      },
    },
    async ({ query }) => {
      const route = await routeOutbound(accountId, query.to);
      if (route.kind === 'sip-uri') return { target: route.uri, trunks: [] };
      return { target: route.number, trunks: route.trunks.map(({ name }) => name) };
    },
  );
}
