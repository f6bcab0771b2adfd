import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  deleteApplication,
  getApplication,
  pageApplications,
  saveApplication,
} from '../../database/applications.ts';
import {
  listNumbersOfApplication,
  numbersByApplication,
  setNumbersOfApplication,
} from '../../database/numbers.ts';
import type { Application, Db, Dialect } from '../../database/schema.ts';
import { CallreelError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { type ApplicationInput, applicationBody, applicationInput, defaultRoutineOf } from './application.ts';
import { pageBody, pageQuery, pageRequest } from './pages.ts';
import type { SiftRoutesOptions } from './routes-options.ts';

const list = 'applications';
/** Applications of others are not seen by this door. */
const dialect: Dialect = 'sift';
const byId = z.object({ appId: z.string().max(64) });

/** `/v0/applications`: what answers the calls to which numbers. Bodies are JSON or forms. */
export function applicationRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  const { accountId, db, publicUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get('/v0/applications', { schema: { querystring: z.object(pageQuery) } }, async ({ query, url }) => {
    const page = await pageApplications(db, accountId, { ...pageRequest(list, query), dialect });
    const numbers = await numbersByApplication(
      db,
      page.rows.map(({ appId }) => appId),
    );
    const results = page.rows.map((row) => applicationBody(row, numbers.get(row.appId) ?? []));
    return pageBody(list, page, results, { publicUrl: publicUrl(), url });
  });

  api.post('/v0/applications', { schema: { body: applicationInput } }, async ({ body }, reply) => {
    const appId = newId();
    reply.code(201);
    return await write(db, body, {
      appId,
      accountId,
      name: body.name ?? appId,
      dialect,
      onIncoming: null,
      defaultRoutine: null,
      script: null,
    });
  });

  api.get('/v0/applications/:appId', { schema: { params: byId } }, async ({ params: { appId } }) => {
    const row = await existing(db, accountId, appId);
    return applicationBody(row, await listNumbersOfApplication(db, appId));
  });

  app.withTypeProvider<ZodTypeProvider>().route({
    method: ['POST', 'PUT', 'PATCH'],
    url: '/v0/applications/:appId',
    schema: { params: byId, body: applicationInput },
    handler: async ({ params: { appId }, body }) => {
      return await write(db, body, await existing(db, accountId, appId));
    },
  });

  api.delete(
    '/v0/applications/:appId',
    { schema: { params: byId } },
    async ({ params: { appId } }, reply) => {
      if (!(await deleteApplication(db, accountId, appId, dialect))) throw unknownApplication(appId);
      return reply.code(204).send();
    },
  );
}

async function existing(db: Db, accountId: string, appId: string): Promise<Application> {
  const row = await getApplication(db, accountId, appId, dialect);
  if (!row) throw unknownApplication(appId);
  return row;
}

function unknownApplication(appId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such application', { where: appId });
}

/** Saves what the body gives over what there was, with its numbers, in one transaction. */
async function write(
  db: Db,
  input: ApplicationInput,
  before: Omit<Application, 'createdAt' | 'fallbackUrl' | 'sealedSecret'>,
): Promise<Record<string, unknown>> {
  const { appId, accountId } = before;
  const given = input.default_routine;
  const application = {
    appId,
    accountId,
    name: input.name ?? before.name,
    dialect,
    onIncoming: input.on_incoming === undefined ? before.onIncoming : input.on_incoming,
    defaultRoutine: given === undefined ? before.defaultRoutine : defaultRoutineOf(given),
    script: input.script === undefined ? before.script : input.script,
  };
  return await db.transaction().execute(async (trx) => {
    const saved = await saveApplication(trx, application);
    const taken = input.phone_numbers ? await setNumbersOfApplication(trx, saved, input.phone_numbers) : [];
    const body = applicationBody(saved, await listNumbersOfApplication(trx, appId));
    if (taken.length === 0) return body;
    const taken_numbers = taken.map(({ number, formerAppId }) => ({
      phone_number: number,
      former_app_id: formerAppId,
    }));
    return { ...body, taken_numbers };
  });
}
