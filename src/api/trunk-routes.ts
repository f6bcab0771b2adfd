import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { sealSecret } from '../auth/sealed-secret.ts';
import type { Clock } from '../clock.ts';
import type { Db } from '../database/schema.ts';
import { deleteTrunk, getTrunk, insertTrunk, listTrunks } from '../database/trunks.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { trunkSecretContext } from '../routing/trunk.ts';
import type { TrunkRegistrations } from '../routing/trunk-registrations.ts';
import { Secret } from '../secret.ts';
import { errors, keyed } from './error-body.ts';
import { identifierParameter } from './fields.ts';
import { toNewTrunk, toTrunkBody, trunkBody } from './trunk-body.ts';
import { trunkInput } from './trunk-input.ts';

export interface TrunkRoutesOptions {
  accountId: string;
  db: Db;
  clock: Clock;
  masterKey: Secret<Buffer>;
  registrations: Pick<TrunkRegistrations, 'of' | 'sync'>;
}

/** `/v1/trunks`: the SIP peers that calls go out by and come in from. */
export function trunkRoutes(app: FastifyInstance, options: TrunkRoutesOptions): void {
  const { accountId, db, clock, masterKey, registrations } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();
  const byId = z.object({ trunkId: identifierParameter('The trunk.') });

  api.get(
    '/v1/trunks',
    {
      schema: {
        operationId: 'listTrunks',
        summary: 'SIP peers that calls go out by and come in from',
        tags: ['trunks'],
        response: {
          200: z
            .object({ results: z.array(trunkBody).meta({ description: 'All of them.' }) })
            .meta({ description: 'The trunks.' }),
          ...errors(),
        },
      },
    },
    async () => {
      const rows = await listTrunks(db, accountId);
      return { results: rows.map((row) => toTrunkBody(row, registrations.of(row.trunkId))) };
    },
  );

  api.post(
    '/v1/trunks',
    {
      schema: {
        operationId: 'createTrunk',
        summary: 'Add a trunk',
        description: 'One that registers begins at once. Its password is kept sealed and never given back.',
        tags: ['trunks'],
        body: trunkInput,
        response: { 201: trunkBody, ...errors(...keyed, 'CONFLICT') },
      },
    },
    async ({ body }, reply) => {
      const trunkId = newId();
      const password = body.password == null ? undefined : new Secret(body.password);
      const row = await insertTrunk(
        db,
        toNewTrunk(body, {
          trunkId,
          accountId,
          sealedPassword: password ? sealSecret(masterKey, trunkSecretContext(trunkId), password) : null,
          createdAt: new Date(clock.unixMs()),
        }),
      );
      if (!row)
        throw new CallreelError('CONFLICT', 'there is a trunk of this name already', { where: 'body.name' });
      await registrations.sync();
      reply.code(201);
      return toTrunkBody(row, registrations.of(trunkId));
    },
  );

  api.get(
    '/v1/trunks/:trunkId',
    {
      schema: {
        operationId: 'getTrunk',
        summary: 'One trunk and how it stands',
        tags: ['trunks'],
        params: byId,
        response: { 200: trunkBody, ...errors('NOT_FOUND') },
      },
    },
    async ({ params: { trunkId } }) => {
      const row = await getTrunk(db, accountId, trunkId);
      if (!row) throw unknownTrunk(trunkId);
      return toTrunkBody(row, registrations.of(trunkId));
    },
  );

  const removal = {
    operationId: 'deleteTrunk',
    summary: 'Remove a trunk',
    tags: ['trunks'],
    params: byId,
    response: {
      204: z.undefined().meta({ description: 'It is removed.' }),
      ...errors(...keyed, 'NOT_FOUND'),
    },
  };
  api.delete('/v1/trunks/:trunkId', { schema: removal }, async ({ params: { trunkId } }, reply) => {
    if (!(await deleteTrunk(db, accountId, trunkId))) throw unknownTrunk(trunkId);
    await registrations.sync();
    return reply.code(204).send();
  });
}

function unknownTrunk(trunkId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such trunk', { where: trunkId });
}
