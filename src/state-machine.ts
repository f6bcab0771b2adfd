import { CallreelError } from './errors.ts';

/** state -> event -> next state. A pair that is not listed is refused. */
export type TransitionTable<State extends string, Event extends string> = {
  readonly [S in State]: Readonly<Partial<Record<Event, State>>>;
};

/** Counted in production instead of thrown, so that one odd peer never ends a call. */
export const unlistedTransitions = new Map<string, number>();

let strict = false;

/** Tests call this once: an unlisted transition then throws. */
export function throwOnUnlistedTransitions(): void {
  strict = true;
}

/**
 * Gives the next state, or `undefined` where the table lists none (the caller then ignores the event).
 * @throws CallreelError STATE_INVALID in strict mode
 */
export function nextState<State extends string, Event extends string>(
  machine: string,
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  const next = table[state][event];
  if (next !== undefined) return next;
  const pair = `${machine}: ${event} in ${state}`;
  if (strict) throw new CallreelError('STATE_INVALID', `unlisted transition: ${pair}`, { where: machine });
  unlistedTransitions.set(pair, (unlistedTransitions.get(pair) ?? 0) + 1);
  return undefined;
}
