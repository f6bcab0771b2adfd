import { z } from 'zod';
import { CallreelError } from '../../errors.ts';
import { assertSaneInput } from '../../sane-input.ts';
import type { Step } from '../../script/verb.ts';
import type { Ask } from './ask.ts';
import { commandSchemas } from './commands.ts';

const maxCommands = 200;

const commands = commandSchemas(() => asking);
const document = z.object({
  routine: z.array(z.discriminatedUnion('name', commands)).max(maxCommands),
});

/** For whoever only wants to know whether a routine is right. */
const nobodyAsks: Ask = async () => undefined;

/** Who asks for the routine that is being parsed: schemas cost more to make than to use. */
let asking = nobodyAsks;

/**
 * A Sift routine, `{routine: [{name: 'JoinConference', ...}]}`, as neutral verbs. Unknown parameters of a command
 * are ignored, as Sift's own newer parameters must not break older hosts.
 * @param ask what a command's `on_done` is asked by
 * @throws CallreelError DOCUMENT_INVALID with the path of the first wrong field
 */
export function parseRoutine(body: unknown, ask: Ask = nobodyAsks): Step[] {
  assertSaneInput(body, 'body', 'DOCUMENT_INVALID');
  asking = ask;
  const parsed = document.safeParse(body);
  if (parsed.success) return parsed.data.routine;
  const [issue] = parsed.error.issues;
  const where = (issue?.path ?? [])
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  throw new CallreelError('DOCUMENT_INVALID', issue?.message ?? 'not a routine', { where: where || 'body' });
}
