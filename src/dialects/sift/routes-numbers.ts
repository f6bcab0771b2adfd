import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { getApplication } from '../../database/applications.ts';
import { assignNumber, deleteNumber, getNumber, pageNumbers } from '../../database/numbers.ts';
import type { PhoneNumber } from '../../database/schema.ts';
import { CallreelError } from '../../errors.ts';
import { numberOf } from '../../routing/called-number.ts';
import { callingPrefix } from '../../routing/country-codes.ts';
import { pageBody, pageQuery, pageRequest } from './pages.ts';
import type { SiftRoutesOptions } from './routes-options.ts';

const list = 'phonenumbers';
const byNumber = z.object({ number: z.string().max(200) });
/** Which application is to answer; an empty text or null frees the number. */
const assignment = {
  application: z.string().max(64).nullish(),
  app_id: z.string().max(64).nullish(),
};

function numberBody({ number, accountId, appId }: PhoneNumber): Record<string, unknown> {
  return { phone_number: number, account_id: accountId, application: appId, app_id: appId };
}

/** `/v0/phonenumbers` and `/v0/availablenumbers`: which number belongs to which application. */
export function numberRoutes(app: FastifyInstance, options: SiftRoutesOptions): void {
  const { accountId, db, publicUrl } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();

  const assign = async (number: string, given: { application?: string | null; app_id?: string | null }) => {
    const named = given.application === undefined ? given.app_id : given.application;
    const before = await getNumber(db, accountId, number);
    const appId = named === undefined ? (before?.appId ?? null) : named || null;
    if (appId !== null && !(await getApplication(db, accountId, appId)))
      throw new CallreelError('REQUEST_INVALID', 'there is no such application', {
        where: 'body.application',
      });
    await assignNumber(db, { number, accountId, appId });
    return numberBody({ number, accountId, appId });
  };

  api.get(
    '/v0/phonenumbers',
    { schema: { querystring: z.object({ ...pageQuery, application: z.string().max(64).optional() }) } },
    async ({ query, url }) => {
      const filter = { appId: query.application };
      const page = await pageNumbers(db, accountId, { ...pageRequest(list, query), filter });
      return pageBody(list, page, page.rows.map(numberBody), { publicUrl: publicUrl(), url });
    },
  );

  api.post(
    '/v0/phonenumbers',
    { schema: { body: z.object({ phone_number: z.string().max(200), ...assignment }) } },
    async ({ body }, reply) => {
      reply.code(201);
      return await assign(numberOf(body.phone_number), body);
    },
  );

  api.get('/v0/phonenumbers/:number', { schema: { params: byNumber } }, async ({ params }) => {
    const row = await getNumber(db, accountId, numberOf(params.number));
    if (!row) throw unknownNumber(params.number);
    return numberBody(row);
  });

  api.post(
    '/v0/phonenumbers/:number',
    { schema: { params: byNumber, body: z.object(assignment) } },
    async ({ params, body }) => await assign(numberOf(params.number), body),
  );

  api.delete('/v0/phonenumbers/:number', { schema: { params: byNumber } }, async ({ params }, reply) => {
    if (!(await deleteNumber(db, accountId, numberOf(params.number)))) throw unknownNumber(params.number);
    return reply.code(204).send();
  });

  api.get(
    '/v0/availablenumbers/:countryCode',
    { schema: { params: z.object({ countryCode: z.string().max(8) }), querystring: z.object(pageQuery) } },
    async ({ params, query, url }) => {
      const prefix = callingPrefix(params.countryCode);
      if (prefix === undefined)
        throw new CallreelError('REQUEST_INVALID', 'expected a country as US, or a calling code as 44', {
          where: 'params.countryCode',
        });
      const filter = { free: true, prefix };
      const page = await pageNumbers(db, accountId, { ...pageRequest(list, query), filter });
      return pageBody(list, page, page.rows.map(numberBody), { publicUrl: publicUrl(), url });
    },
  );
}

function unknownNumber(number: string): CallreelError {
  return new CallreelError('NOT_FOUND', 'there is no such number', { where: number });
}
