import type { Leg } from '../../call/leg.ts';
import { SinchError } from './errors.ts';
import type { LiveSession } from './live-session.ts';
import type { Whom } from './session.ts';
import type { Svaml } from './svaml.ts';

const recording: ReadonlySet<string> = new Set(['startRecording', 'stopRecording']);

/**
 * What a request wants of a live call: prompts to each of the parties meant, which is the caller unless said otherwise;
 * recordings of the call once.
 */
export async function manage(session: LiveSession, svaml: Svaml, whom: Whom): Promise<void> {
  const legs = legsOf(session, whom);
  const [first, ...others] = legs;
  if (!first) throw new SinchError(40400, whom === undefined ? undefined : `There is no ${whom}`);
  session.dialogue.take(svaml);
  session.parts.callbacks.tellWarnings(session.subject, svaml.warnings);
  const { instructions, action } = svaml;
  const isQuick =
    instructions.every(({ name }) => recording.has(name)) &&
    (action === undefined || action.name === 'continue' || recording.has(action.name));
  const isHeard = (name: string) => whom !== undefined && !recording.has(name);
  const forOthers: Svaml = {
    instructions: instructions.filter(({ name }) => isHeard(name)),
    action: isOfEach(action) ? action : undefined,
    warnings: [],
  };
  const done = Promise.all([
    manageLeg(session, first, svaml),
    ...others.map((leg) => manageLeg(session, leg, forOthers)),
  ]);
  if (isQuick) await done;
}

function isOfEach(action: Svaml['action']): boolean {
  return action?.name === 'hangup' || action?.name === 'park' || action?.name === 'continue';
}

async function manageLeg(session: LiveSession, leg: Leg, svaml: Svaml): Promise<void> {
  if (svaml.action?.name === 'continue') return await session.release(leg, svaml);
  await session.apply(leg, svaml);
}

/** Those that live. */
function legsOf({ leg, calledLeg, request, parts }: LiveSession, whom: Whom): Leg[] {
  // The vendor ignores whom of a call that was placed, or is in a conference: there is one party.
  const isAlone =
    calledLeg === undefined &&
    (request.side === 'callee' || parts.calls.conferenceOf(leg.id)?.isPair === false);
  if (isAlone) return leg.ended ? [] : [leg];
  const wanted = whom === 'caller' ? [leg] : whom === 'callee' ? [calledLeg] : [leg, calledLeg];
  return wanted.filter((each): each is Leg => each !== undefined && !each.ended);
}
