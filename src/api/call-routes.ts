import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CallRecords } from '../call/call-records.ts';
import type { Logger } from '../logger.ts';
import type { CaptureExport } from '../worker/capture-export.ts';
import { callBody, callSummaryBody, toCall, toCallSummary } from './call-body.ts';
import { errors } from './error-body.ts';
import { file, identifierParameter } from './fields.ts';
import { listBody, listOf, listQuery, listRequest } from './list-query.ts';
import { partyFilters } from './party-filters.ts';

export interface CallRoutesOptions {
  accountId: string;
  log: Logger;
  records: CallRecords;
  captures: CaptureExport;
}

const list = 'calls';
const byId = z.object({ callId: identifierParameter('The connection id of any of its legs.') });

/** `/v1/calls`: every call with its legs, SIP messages and media figures, and as a capture file. */
export function callRoutes(
  app: FastifyInstance,
  { accountId, log, records, captures }: CallRoutesOptions,
): void {
  const api = app.withTypeProvider<ZodTypeProvider>();

  api.get(
    '/v1/calls',
    {
      schema: {
        operationId: 'listCalls',
        summary: 'Calls, the latest first',
        tags: ['calls'],
        querystring: z.strictObject({ ...listQuery, ...partyFilters }),
        response: { 200: listOf(callSummaryBody), ...errors() },
      },
    },
    async ({ query }) => {
      const { from, to, status, direction } = query;
      const filter = { from, to, status, direction };
      const page = await records.page(accountId, { ...listRequest(list, query), filter });
      return listBody(list, page, toCallSummary);
    },
  );

  api.get(
    '/v1/calls/:callId',
    {
      schema: {
        operationId: 'getCall',
        summary: 'One call: legs, SIP messages, media figures',
        tags: ['calls'],
        params: byId,
        response: { 200: callBody, ...errors('NOT_FOUND') },
      },
    },
    async ({ params: { callId } }) => toCall(await records.get(accountId, callId)),
  );

  const capture = {
    operationId: 'captureCall',
    summary: 'One call as a capture file',
    description: 'Its SIP messages without their secrets, and the packets that recordings hold of it.',
    tags: ['calls'],
    params: byId,
    response: {
      200: {
        description: 'A capture for Wireshark.',
        content: { 'application/vnd.tcpdump.pcap': { schema: file } },
      },
      ...errors('NOT_FOUND'),
    },
  };
  api.get('/v1/calls/:callId/pcap', { schema: capture }, async ({ params: { callId } }, reply) => {
    const chunks = captures.read(await records.capture(accountId, callId));
    // What cannot be begun is answered by its error, not by an empty file.
    const first = await chunks.next();
    const body = Readable.from(continued(first, chunks), { objectMode: false });
    body.on('close', () => void chunks.return(undefined));
    // Too late for an error's answer: the connection is cut.
    body.on('error', (error) => log.error({ error, callId }, 'a capture file broke off'));
    return reply
      .header('content-type', 'application/vnd.tcpdump.pcap')
      .header('content-disposition', `attachment; filename="${callId}.pcap"`)
      .header('cache-control', 'private, no-store')
      .send(body);
  });
}

async function* continued(
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
