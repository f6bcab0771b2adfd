import type { Prompt } from '../../script/verb.ts';

/** Of one round; whoever waits hears it over and over. */
const ringMs = 6000;
const tuneMs = 16_000;

const byName: ReadonlyMap<string, Prompt> = new Map<string, Prompt>([
  ['ring', { kind: 'ring', durationMs: ringMs, country: 'us' }],
  ['music1', { kind: 'tune', durationMs: tuneMs, tune: 1 }],
  ['music2', { kind: 'tune', durationMs: tuneMs, tune: 2 }],
  ['music3', { kind: 'tune', durationMs: tuneMs, tune: 3 }],
]);

/** What `moh` names; undefined: there is none of this name. */
export function musicOf(name: string): Prompt | undefined {
  return byName.get(name.toLowerCase());
}
