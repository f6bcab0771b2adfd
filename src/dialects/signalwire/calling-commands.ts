import { z } from 'zod';
import type { Leg } from '../../call/leg.ts';
import type { Recording } from '../../call/recording.ts';
import { CallreelError } from '../../errors.ts';
import { CallingPlays } from './calling-plays.ts';
import { checkedDocument } from './checked-document.ts';
import { playParameters, playVerb } from './play-input.ts';
import { controlId, ofTheCall, recordingWishes, recordParameters } from './record-input.ts';
import type { SignalwireRoutesOptions } from './routes-options.ts';
import { inContext } from './swml-host.ts';
import type { DocumentSource } from './swml-sessions.ts';

/** One command on a live call. */
export type CallingCommand = (leg: Leg, params: unknown) => void | Promise<void>;

const url = z.url({ protocol: /^https?$/, error: 'must be a valid http or https url' }).max(2000);

/** `url` or `swml`, the latter as a text or an object. */
export const documentParameters = {
  url: url.optional(),
  swml: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  fallback_url: url.optional(),
};

/**
 * A document that cannot run is refused here, and what goes on goes on.
 * @throws CallreelError REQUEST_INVALID without either, DOCUMENT_INVALID
 */
export function sourceOf(given: {
  url?: string | undefined;
  swml?: unknown;
  fallback_url?: string | undefined;
}): DocumentSource {
  if (given.url !== undefined) return { url: given.url, fallbackUrl: given.fallback_url };
  if (given.swml !== undefined)
    return { document: checkedDocument(given.swml, 'body.params.swml', { mayBeEmpty: true }) };
  throw new CallreelError('REQUEST_INVALID', 'url or swml is required', { where: 'body.params.url' });
}

const update = z.object({ ...documentParameters, status: z.enum(['canceled', 'completed']).optional() });
const transfer = z.object({ dest: z.union([z.string().min(1), z.record(z.string(), z.unknown())]) });
const end = z.object({
  reason: z.enum(['hangup', 'cancel', 'busy', 'noAnswer', 'decline', 'error']).default('hangup'),
});
/** Without an id it is the last one: a misspelt name must not stop another recording. */
const named = z.strictObject({ ...ofTheCall, control_id: controlId.optional() });
const pause = z.strictObject({
  ...ofTheCall,
  control_id: controlId.optional(),
  behavior: z.enum(['skip', 'silence']).default('skip'),
});

/** How a call that was not answered yet is refused. */
const refusals: Readonly<Record<string, number>> = { busy: 486, decline: 603, noAnswer: 480, error: 500 };

/** What `/api/calling/calls` can do to a live call, by the names without `calling.`. */
export function callingCommands(options: SignalwireRoutesOptions): Readonly<Record<string, CallingCommand>> {
  const { calls, publicUrl, sessions } = options;
  const plays = new CallingPlays(options);

  /** @throws CallreelError CONFLICT for a call that something else serves: it would do both at once */
  const replace = (leg: Leg, source: DocumentSource): void => {
    if (!sessions.runsOn(leg.id))
      throw new CallreelError('CONFLICT', 'no document runs on this call', { where: 'body.id' });
    void sessions.run(leg, source);
  };

  /** The last started that runs, unless named. @throws CallreelError NOT_FOUND */
  const running = (leg: Leg, id: string | undefined): Recording => {
    const found = calls
      .recordingsOfCall(leg.id)
      .findLast(({ wishes }) => id === undefined || wishes.controlId === id);
    if (found) return found;
    throw new CallreelError('NOT_FOUND', 'no recording runs by this control id', { where: id ?? leg.id });
  };

  return {
    update: (leg, params) => {
      const given = parse(update, params);
      if (given.status !== undefined) leg.hangUp('hung up by request');
      else replace(leg, sourceOf(given));
    },
    transfer: (leg, params) => {
      const { dest } = parse(transfer, params);
      const isUrl = typeof dest === 'string' && /^https?:/i.test(dest);
      replace(
        leg,
        isUrl ? { url: parse(url, dest) } : { document: checkedDocument(dest, 'body.params.dest') },
      );
    },
    end: (leg, params) => {
      const { reason } = parse(end, params);
      const status = refusals[reason];
      if (status === undefined || leg.session.direction === 'outgoing') leg.hangUp('hung up by request');
      else leg.reject(status, 'hung up by request');
    },
    play: (leg, params) => {
      const given = parse(playParameters, params);
      plays.start(leg, playVerb(given), given.control_id, given.status_url);
    },
    'play.stop': (leg, params) =>
      plays.stop(leg, parse(z.object({ control_id: controlId }), params).control_id),
    record: (leg, params) => {
      const wishes = recordingWishes(parse(recordParameters, params));
      calls.recordCall(leg.id, inContext(wishes, `calling:${leg.id}`, publicUrl()));
    },
    'record.pause': async (leg, params) => {
      const { control_id: id, behavior } = parse(pause, params);
      await running(leg, id).pause(behavior, 'recording');
    },
    'record.resume': async (leg, params) => await running(leg, parse(named, params).control_id).resume(),
    'record.stop': (leg, params) => running(leg, parse(named, params).control_id).stop(),
  };
}

const maxWhereCharacters = 200;

/** @throws CallreelError REQUEST_INVALID with the parameter */
export function parse<Schema extends z.ZodType>(schema: Schema, params: unknown): z.output<Schema> {
  const parsed = schema.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const where = ['body', 'params', ...(issue?.path ?? []), ...unknown].join('.').slice(0, maxWhereCharacters);
  if (unknown.length > 0) throw new CallreelError('REQUEST_INVALID', 'is not a known parameter', { where });
  throw new CallreelError('REQUEST_INVALID', issue?.message ?? 'wrong parameters', { where });
}
