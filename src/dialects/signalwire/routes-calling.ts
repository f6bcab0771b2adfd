import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Leg } from '../../call/leg.ts';
import { CallreelError } from '../../errors.ts';
import { callLegBody } from './call-leg-body.ts';
import { callStatuses, tellCallStatus } from './call-status.ts';
import { callingCommands, documentParameters, parse, sourceOf } from './calling-commands.ts';
import { vendorErrors } from './error-body.ts';
import { statusUrl } from './record-input.ts';
import type { SignalwireRoutesOptions } from './routes-options.ts';

const party = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\r\n]*$/, 'must be one line');
const body = z.object({
  command: z.string().min(1).max(64),
  id: z.string().max(64).optional(),
  params: z.record(z.string(), z.unknown()).nullish(),
});
const dialParameters = z.object({
  from: party,
  to: party,
  /** Shown instead of `from`. */
  caller_id: party.optional(),
  ...documentParameters,
  /** In seconds; how long it may ring. */
  timeout: z.number().int().min(1).max(600).default(60),
  status_url: statusUrl.optional(),
  status_events: z.array(z.enum(callStatuses)).default([...callStatuses]),
});

/** `POST /api/calling/calls`: places calls, and commands those that go on. */
export function callingRoutes(app: FastifyInstance, options: SignalwireRoutesOptions): void {
  const { calls, log } = options;
  const api = app.withTypeProvider<ZodTypeProvider>();
  const commands = callingCommands(options);
  vendorErrors(app, 'calling', log);

  const handle = async (given: z.output<typeof body>): Promise<Record<string, unknown>> => {
    const name = given.command.replace(/^calling\./, '');
    if (name === 'dial') return await dial(options, given.params);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command)
      throw new CallreelError(
        'REQUEST_INVALID',
        `the command ${given.command.slice(0, 64)} is not known here`,
        {
          where: 'body.command',
        },
      );
    const id = given.id ?? given.params?.id;
    const leg = typeof id === 'string' ? calls.leg(id) : undefined;
    if (!leg) throw new CallreelError('NOT_FOUND', 'there is no such call', { where: 'body.id' });
    await command(leg, given.params);
    return callLegBody(leg);
  };

  for (const method of ['POST', 'PUT'] as const)
    api.route({
      method,
      url: '/api/calling/calls',
      schema: { body },
      handler: async (request) => await handle(request.body),
    });
}

async function dial(
  { accountId, clock, placer, sessions, statuses }: SignalwireRoutesOptions,
  params: unknown,
): Promise<Record<string, unknown>> {
  const given = parse(dialParameters, params);
  const { from, to, caller_id: shown = from, timeout, status_url, status_events } = given;
  const source = sourceOf(given);
  const leg: Leg = await placer.place({
    accountId,
    from: shown,
    target: targetOf(to),
    goal: { serve: (answered) => sessions.run(answered, source) },
    timeoutMs: timeout * 1000,
    begun: (begun) => {
      if (status_url === undefined) return;
      tellCallStatus(begun, { clock, statuses, url: status_url, wanted: new Set(status_events) });
    },
  });
  return callLegBody(leg, 'queued', given.url ?? null);
}

function targetOf(to: string): { kind: 'phone'; number: string } | { kind: 'client'; name: string } {
  return to.startsWith('client:')
    ? { kind: 'client', name: to.slice('client:'.length) }
    : { kind: 'phone', number: to };
}
