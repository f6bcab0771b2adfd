import { getApplication, saveApplication, setApplicationCallbacks } from '../../database/applications.ts';
import { assignNumber, getNumber, listNumbers } from '../../database/numbers.ts';
import type { Db } from '../../database/schema.ts';
import {
  callbackUrlsBody,
  type NumberAssignment,
  readCallbackUrls,
  readNumbers,
} from './application-bodies.ts';
import type { SinchDoor, SinchRequest } from './door.ts';
import { SinchError } from './errors.ts';
import { numberDetails } from './number-details.ts';
import { readRequest } from './request-body.ts';
import type { SinchRoutesOptions } from './routes-options.ts';

const numbersPath = '/v1/configuration/numbers';
const callbacksPath = '/v1/configuration/callbacks/applications/:key';
const capability = 'voice';

/** `/v1/configuration` and the number query: what an application may change of itself, and the owner of all. */
export function configurationRoutes(door: SinchDoor, options: SinchRoutesOptions): void {
  const { applications, db, dialPlans } = options;

  door.route('GET', numbersPath, async ({ application: { accountId, key }, isOwner }) => {
    const rows = await listNumbers(db, accountId);
    const known = rows.filter(({ appId }) => isOwner || appId === null || appId === key);
    return {
      numbers: known.map(({ number, appId }) => ({
        number,
        ...(appId !== null && { applicationkey: appId }),
        capability,
      })),
    };
  });

  door.route('POST', numbersPath, async (request) => {
    const { numbers, applicationKey } = readAssignment(request.body);
    const key = reachable(request, applicationKey ?? request.application.key);
    await change(options, key, async (trx, accountId) => {
      for (const number of numbers) {
        await refuseOthers(trx, request, number);
        await assignNumber(trx, { number, accountId, appId: key });
      }
    });
    return undefined;
  });

  door.route('DELETE', numbersPath, async (request) => {
    const { numbers, applicationKey } = readAssignment(request.body);
    const { accountId } = request.application;
    await db.transaction().execute(async (trx) => {
      for (const number of numbers) {
        const row = await getNumber(trx, accountId, number);
        const isThere = row && row.appId !== null && (applicationKey ?? row.appId) === row.appId;
        if (!isThere) throw new SinchError(40400, `${number} is assigned to no such application`);
        await refuseOthers(trx, request, number);
        await assignNumber(trx, { number, accountId, appId: null });
      }
    });
    return undefined;
  });

  door.route('GET', callbacksPath, async (request) => {
    const application = await applications.find(reachable(request, request.params.key ?? ''));
    if (!application) throw new SinchError(40400);
    return callbackUrlsBody(application.callbacks);
  });

  door.route('POST', callbacksPath, async (request) => {
    const { primary, fallback } = readRequest(request.body, readCallbackUrls).request;
    const key = reachable(request, request.params.key ?? '');
    await change(options, key, async (trx) => {
      const urls = { onIncoming: primary ?? null, fallbackUrl: fallback ?? null };
      await setApplicationCallbacks(trx, key, urls);
    });
    return undefined;
  });

  door.route('GET', '/v1/calling/query/number/:number', async ({ params, application: { accountId } }) => {
    const route = (number: string) => dialPlans.routeOutbound(accountId, number);
    const { country } = dialPlans;
    return { method: 'pstn', number: await numberDetails(params.number ?? '', { country, route }) };
  });
}

/** @throws SinchError as `readRequest` */
function readAssignment(body: unknown): NumberAssignment {
  const { request } = readRequest(body, readNumbers);
  if (request.capability !== capability)
    throw new SinchError(40001, `capability: numbers are for ${capability} alone here`);
  return request;
}

/** An application reaches itself, the owner every one. @throws SinchError 40400 */
function reachable({ application, isOwner }: SinchRequest, key: string): string {
  if (isOwner || key === application.key) return key;
  throw new SinchError(40400, 'There is no such application');
}

/** @throws SinchError 40003 for a number of another application */
async function refuseOthers(trx: Db, { application, isOwner }: SinchRequest, number: string): Promise<void> {
  const row = await getNumber(trx, application.accountId, number);
  if (isOwner || !row || row.appId === null || row.appId === application.key) return;
  throw new SinchError(40003, `${number} is assigned to another application`);
}

/** What concerns the application; the owner's gets its row by that. @throws SinchError 40400 */
async function change(
  { db, credentials: { accountId } }: SinchRoutesOptions,
  key: string,
  write: (trx: Db, accountId: string) => Promise<void>,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (!(await getApplication(trx, accountId, key, 'sinch'))) {
      if (key !== accountId) throw new SinchError(40400, 'There is no such application');
      const nothing = { onIncoming: null, defaultRoutine: null };
      await saveApplication(trx, { appId: key, accountId, name: key, dialect: 'sinch', ...nothing });
    }
    await write(trx, accountId);
  });
}
