import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newApplicationSecret, sealApplicationSecret } from '../auth/application-secret.ts';
import {
  deleteApplication,
  getApplication,
  pageApplications,
  saveApplication,
} from '../database/applications.ts';
import {
  listNumbersOfApplication,
  numbersByApplication,
  setNumbersOfApplication,
} from '../database/numbers.ts';
import type { Application, Db, Dialect } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { numberOf } from '../routing/called-number.ts';
import type { Secret } from '../secret.ts';
import {
  applicationBody,
  applicationChange,
  dialectFilter,
  newApplication,
  savedApplicationBody,
  toApplicationBody,
} from './application-body.ts';
import { errors, keyed } from './error-body.ts';
import { identifierParameter } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';

/** By dialect: the document as it is kept. @throws CallreelError DOCUMENT_INVALID with the place */
export type DocumentChecks = Readonly<Record<Dialect, (given: unknown) => unknown>>;

export interface ApplicationRoutesOptions {
  accountId: string;
  db: Db;
  documents: DocumentChecks;
  /** Seals the secrets of applications. */
  masterKey: Secret<Buffer>;
}

const list = 'native-applications';
const byId = z.object({ appId: identifierParameter('The application.') });

/** `/v1/applications`: what answers the calls to which numbers, in every dialect. */
export function applicationRoutes(app: FastifyInstance, options: ApplicationRoutesOptions): void {
  const { accountId, db, masterKey } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/applications',
    {
      schema: {
        operationId: 'listApplications',
        summary: 'Applications, the latest first',
        tags: ['applications'],
        querystring: z.strictObject({ ...listQuery, dialect: dialectFilter }),
        response: { 200: listOf(applicationBody), ...errors() },
      },
    },
    async ({ query }) => {
      const { dialect } = query;
      const page = await pageApplications(db, accountId, { ...listRequest(list, query), dialect });
      const ids = page.rows.map(({ appId }) => appId);
      const numbers = await numbersByApplication(db, ids);
      return listBody(list, page, (row) => toApplicationBody(row, numbers.get(row.appId) ?? []));
    },
  );

  api.post(
    '/v1/applications',
    {
      schema: {
        operationId: 'createApplication',
        summary: 'Create an application',
        tags: ['applications'],
        body: newApplication,
        response: {
          201: savedApplicationBody,
          ...errors(...keyed, 'DOCUMENT_INVALID', 'NUMBER_INVALID'),
        },
      },
    },
    async ({ body }, reply) => {
      const { dialect } = body;
      const appId = dialect === 'sinch' ? randomUUID() : newId();
      const secret = dialect === 'sinch' ? newApplicationSecret() : undefined;
      const sealedSecret = secret ? sealApplicationSecret(masterKey, appId, secret) : null;
      const { name = appId } = body;
      reply.code(201);
      const nothing = { onIncoming: null, fallbackUrl: null, defaultRoutine: null, script: null };
      const saved = await save(options, body, { appId, accountId, dialect, name, sealedSecret, ...nothing });
      return secret ? { ...saved, secret: secret.reveal() } : saved;
    },
  );

  api.get(
    '/v1/applications/:appId',
    {
      schema: {
        operationId: 'getApplication',
        summary: 'One application',
        tags: ['applications'],
        params: byId,
        response: { 200: applicationBody, ...errors('NOT_FOUND') },
      },
    },
    async ({ params: { appId } }) =>
      toApplicationBody(await existing(options, appId), await listNumbersOfApplication(db, appId)),
  );

  api.post(
    '/v1/applications/:appId',
    {
      schema: {
        operationId: 'changeApplication',
        summary: 'Change an application',
        description: 'What is not given stays as it is; calls that go on are not touched.',
        tags: ['applications'],
        params: byId,
        body: applicationChange,
        response: {
          200: savedApplicationBody,
          ...errors(...keyed, 'NOT_FOUND', 'DOCUMENT_INVALID', 'NUMBER_INVALID'),
        },
      },
    },
    async ({ params: { appId }, body }) => await save(options, body, await existing(options, appId)),
  );

  api.delete(
    '/v1/applications/:appId',
    {
      schema: {
        operationId: 'deleteApplication',
        summary: 'Delete an application',
        description: 'Its numbers become free; calls that go on are not touched.',
        tags: ['applications'],
        params: byId,
        response: {
          204: z.undefined().meta({ description: 'It is gone.' }),
          ...errors(...keyed, 'NOT_FOUND'),
        },
      },
    },
    async ({ params: { appId } }, reply) => {
      if (!(await deleteApplication(db, accountId, appId))) throw unknownApplication(appId);
      return reply.code(204).send();
    },
  );
}

async function existing({ db, accountId }: ApplicationRoutesOptions, appId: string): Promise<Application> {
  const row = await getApplication(db, accountId, appId);
  if (!row) throw unknownApplication(appId);
  return row;
}

function unknownApplication(appId: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such application', { where: appId });
}

/** What the body gives over what there was, with its numbers, in one transaction. */
async function save(
  { db, documents }: ApplicationRoutesOptions,
  input: z.output<typeof applicationChange>,
  before: Omit<Application, 'createdAt'>,
): Promise<z.output<typeof savedApplicationBody>> {
  const { name = before.name, url = before.onIncoming, document } = input;
  const fallbackUrl = fallbackOf(input, before);
  const defaultRoutine = document === undefined ? before.defaultRoutine : kept(documents, before, document);
  const numbers = input.numbers?.map(numberOf);
  return await db.transaction().execute(async (trx) => {
    const saved = await saveApplication(trx, {
      ...before,
      name,
      onIncoming: url,
      fallbackUrl,
      defaultRoutine,
    });
    const taken = numbers ? await setNumbersOfApplication(trx, saved, numbers) : [];
    return {
      ...toApplicationBody(saved, await listNumbersOfApplication(trx, saved.appId)),
      taken_numbers: taken.map(({ number, formerAppId }) => ({ number, former_app_id: formerAppId })),
    };
  });
}

function fallbackOf(
  { fallback_url: given }: z.output<typeof applicationChange>,
  { dialect, fallbackUrl }: Pick<Application, 'dialect' | 'fallbackUrl'>,
): string | null {
  if (given === undefined) return fallbackUrl;
  if (given === null || dialect === 'sinch') return given;
  throw new CallreelError('REQUEST_INVALID', 'only an application of the dialect sinch has one', {
    where: 'body.fallback_url',
  });
}

function kept(
  documents: DocumentChecks,
  { dialect }: Pick<Application, 'dialect'>,
  document: unknown,
): unknown {
  return document === null ? null : documents[dialect](document);
}
