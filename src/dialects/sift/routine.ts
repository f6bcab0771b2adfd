import { z } from 'zod';
import { CallreelError } from '../../errors.ts';
import type { Verb } from '../../script/verb.ts';

const maxCommands = 200;

/** An empty string stands for "not set" in Sift's own examples (features.md, G12). */
const callbackUrl = z
  .union([z.literal(''), z.url({ protocol: /^https?$/ })])
  .nullish()
  .transform((url) => url || undefined);

const joinConference = z
  .object({
    name: z.literal('JoinConference'),
    conference_name: z.string().min(1).max(200),
    do_record: z.boolean().nullish(),
    event_callback: callbackUrl,
    on_event: callbackUrl,
    leave_key: z
      .string()
      .regex(/^[0-9*#A-D]$/, 'one of 0-9 * # A-D')
      .nullish(),
  })
  .transform(
    (command): Verb => ({
      verb: 'join-conference',
      name: command.conference_name,
      options: {
        policy: command.do_record == null ? 'follow' : command.do_record ? 'record' : 'never',
        leaveKey: command.leave_key ?? undefined,
        eventCallback: command.event_callback ?? command.on_event,
      },
    }),
  );

const hangUp = z.object({ name: z.literal('HangUp') }).transform((): Verb => ({ verb: 'hang-up' }));

const document = z.object({
  routine: z.array(z.discriminatedUnion('name', [joinConference, hangUp])).max(maxCommands),
});

/**
 * A Sift routine, `{routine: [{name: 'JoinConference', ...}]}`, as neutral verbs. Unknown parameters of a command
 * are ignored, as Sift's own newer parameters must not break older hosts.
 * @throws CallreelError DOCUMENT_INVALID with the path of the first wrong field
 */
export function parseRoutine(body: unknown): Verb[] {
  const parsed = document.safeParse(body);
  if (parsed.success) return parsed.data.routine;
  const [issue] = parsed.error.issues;
  const where = (issue?.path ?? [])
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  throw new CallreelError('DOCUMENT_INVALID', issue?.message ?? 'not a routine', { where: where || 'body' });
}
