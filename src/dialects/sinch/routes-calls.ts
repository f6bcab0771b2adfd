import { getConnection } from '../../database/connections.ts';
import type { SinchCall } from '../../database/schema.ts';
import { callInformation } from './call-information.ts';
import type { SinchDoor, SinchRequest } from './door.ts';
import { SinchError } from './errors.ts';
import type { SinchRoutesOptions } from './routes-options.ts';
import { loadSvaml, type Svaml } from './svaml.ts';

const sides = ['caller', 'callee', 'both'] as const;

/** `/calling/v1/calls/id/{callId}`, in the documentation's spelling too: what becomes of a call, and what it is told. */
export function callRoutes(door: SinchDoor, options: SinchRoutesOptions): void {
  const { clock, db, sessions } = options;
  for (const spelling of ['calls', 'call']) {
    const path = `/calling/v1/${spelling}/id/:callId`;

    door.route('GET', path, async (request) => {
      const row = await existing(request, options);
      if (sessions.session(row.callId)) return callInformation(row, { nowUnixMs: clock.unixMs() });
      const connection = row.endedAt ? undefined : await getConnection(db, row.accountId, row.callId);
      return callInformation(row, { endedAt: connection?.endTime });
    });

    door.route('PATCH', path, async (request) => {
      await manage(request, options, undefined);
      return undefined;
    });

    door.route('PATCH', `${path}/leg/:side`, async (request) => {
      const { side: given = '' } = request.params;
      const side = sides.find((each) => each === given.toLowerCase());
      if (!side) throw new SinchError(40001, `leg: ${sides.join(', ')} is expected`);
      await manage(request, options, side);
      return undefined;
    });
  }
}

async function manage(
  request: SinchRequest,
  options: SinchRoutesOptions,
  side: (typeof sides)[number] | undefined,
): Promise<void> {
  const svaml = readManage(request.body, options);
  const { callId } = await existing(request, options);
  const session = options.sessions.session(callId);
  if (!session) throw new SinchError(40400, 'The call is over');
  await session.manage(svaml, side);
}

/** @throws SinchError the first mistake */
function readManage(body: unknown, { rules }: SinchRoutesOptions): Svaml {
  const { svaml, problems } = loadSvaml(body, { ...rules, use: 'manage' });
  if (svaml) return svaml;
  const first = problems.find(({ severity }) => severity === 'error');
  if (!first) throw new SinchError(40003);
  throw new SinchError(first.code, first.path === '' ? first.message : `${first.path}: ${first.message}`);
}

/** By the call's own id, or by the id of a party of it. @throws SinchError 40400, also for one of another application */
async function existing(
  { application: { accountId, key }, isOwner, params: { callId = '' } }: SinchRequest,
  { calls, db, records }: SinchRoutesOptions,
): Promise<SinchCall> {
  const row =
    (await records.find(accountId, callId)) ??
    (await records.find(
      accountId,
      calls.leg(callId)?.connection.callId ?? (await getConnection(db, accountId, callId))?.callId ?? '',
    ));
  if (row && (isOwner || row.applicationKey === key)) return row;
  throw new SinchError(40400, 'There is no such call');
}
