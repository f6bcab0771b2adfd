import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { sealSecret } from '../auth/sealed-secret.ts';
import type { Clock } from '../clock.ts';
import type { Db, Trunk } from '../database/schema.ts';
import { deleteTrunk, getTrunk, insertTrunk, listTrunks } from '../database/trunks.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { trunkSecretContext } from '../routing/trunk.ts';
import { Secret } from '../secret.ts';
import { parseSipUri } from '../sip/uri.ts';

export interface TrunkRoutesOptions {
  accountId: string;
  db: Db;
  clock: Clock;
  masterKey: Secret<Buffer>;
}

const maxRoutes = 1000;
const maxNetworks = 200;

const network = z
  .string()
  .max(64)
  .refine(
    (text) => ipaddr.isValidCIDR(text) && isIP(text.replace(/\/.*$/, '')) !== 0,
    'expected a network in CIDR notation, as 192.0.2.0/24',
  );
const route = z.object({
  prefix: z.string().regex(/^\+\d{0,15}$/, 'expected + and digits; + alone for every number'),
  cost: z.number().min(0).max(1_000_000).default(0),
});
/** As a SIP URI can name it; an IPv6 address without its brackets. */
function isHost(text: string): boolean {
  const uri = parseSipUri(`sip:${isIP(text) === 6 ? `[${text}]` : text}`);
  return (
    uri !== undefined && uri.user === undefined && uri.port === undefined && uri.host === text.toLowerCase()
  );
}

const trunkShape = {
  name: z.string().regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, - or _'),
  host: z.string().max(253).refine(isHost, 'expected a host name or an address, the port apart'),
  port: z.int().min(1).max(65535).nullish(),
  transport: z.enum(['udp', 'tcp']).default('udp'),
  username: z.string().min(1).max(200).nullish(),
  from_number: z.string().min(1).max(64).nullish(),
  routes: z.array(route).max(maxRoutes).default([]),
  source_networks: z.array(network).max(maxNetworks).default([]),
};
const trunkInput = z
  .object({ ...trunkShape, password: z.string().min(1).max(500).nullish() })
  .refine(({ username, password }) => (username == null) === (password == null), {
    error: 'username and password belong together',
    path: ['password'],
  });
/** The password is never given back. */
const trunkBody = z.object({
  trunk_id: z.string(),
  name: z.string(),
  host: z.string(),
  port: z.int().nullable(),
  transport: z.enum(['udp', 'tcp']),
  username: z.string().nullable(),
  from_number: z.string().nullable(),
  routes: z.array(z.object({ prefix: z.string(), cost: z.number() })),
  source_networks: z.array(z.string()),
  created_at: z.string(),
});

function toBody(row: Trunk): z.output<typeof trunkBody> {
  return {
    trunk_id: row.trunkId,
    name: row.name,
    host: row.host,
    port: row.port,
    transport: row.transport,
    username: row.username,
    from_number: row.fromNumber,
    routes: row.routes,
    source_networks: row.sourceNetworks,
    created_at: row.createdAt.toISOString(),
  };
}

/** `/v1/trunks`: the SIP peers that calls go out by and come in from. */
export function trunkRoutes(app: FastifyInstance, options: TrunkRoutesOptions): void {
  const { accountId, db, clock, masterKey } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();
  const byId = z.object({ trunkId: z.string().max(64) });

  api.get(
    '/v1/trunks',
    { schema: { response: { 200: z.object({ results: z.array(trunkBody) }) } } },
    async () => ({ results: (await listTrunks(db, accountId)).map(toBody) }),
  );

  api.post(
    '/v1/trunks',
    { schema: { body: trunkInput, response: { 201: trunkBody } } },
    async ({ body }, reply) => {
      const trunkId = newId();
      const password = body.password == null ? undefined : new Secret(body.password);
      const row = await insertTrunk(db, {
        trunkId,
        accountId,
        name: body.name,
        host: body.host,
        port: body.port ?? null,
        transport: body.transport,
        username: body.username ?? null,
        sealedPassword: password ? sealSecret(masterKey, trunkSecretContext(trunkId), password) : null,
        fromNumber: body.from_number ?? null,
        routes: body.routes,
        sourceNetworks: body.source_networks,
        createdAt: new Date(clock.unixMs()),
      });
      if (!row)
        throw new CallreelError('CONFLICT', 'there is a trunk of this name already', { where: 'body.name' });
      reply.code(201);
      return toBody(row);
    },
  );

  api.get(
    '/v1/trunks/:trunkId',
    { schema: { params: byId, response: { 200: trunkBody } } },
    async ({ params: { trunkId } }) => {
      const row = await getTrunk(db, accountId, trunkId);
      if (!row) throw unknownTrunk(trunkId);
      return toBody(row);
    },
  );

  api.delete('/v1/trunks/:trunkId', { schema: { params: byId } }, async ({ params: { trunkId } }, reply) => {
    if (!(await deleteTrunk(db, accountId, trunkId))) throw unknownTrunk(trunkId);
    return reply.code(204).send();
  });
}

function unknownTrunk(trunkId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such trunk', { where: trunkId });
}
