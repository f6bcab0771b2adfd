import type { Next } from '../../script/verb.ts';

/** Asks one of the routine's own URLs what comes next; undefined: go on. */
export type Ask = (url: string, answer: Record<string, unknown>) => Promise<Next>;
