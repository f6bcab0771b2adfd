import type { Clock } from '../../clock.ts';
import type { Next, Step } from '../../script/verb.ts';
import type { Park } from './park.ts';

/** No prompt is shorter: one that can not be had is asked for again only so often. */
const minRoundMs = 1000;

/** A parked call as neutral verbs: a prompt, another one over and over, and the end. */
export function parkSteps({ introPrompts, holdPrompts, maxDurationMs }: Park, clock: Clock): Step[] {
  let startUs: number | undefined;
  const leftMs = (): number => {
    startUs ??= clock.monotonicUs();
    return maxDurationMs - (clock.monotonicUs() - startUs) / 1000;
  };
  const round = (): Step[] => {
    const left = leftMs();
    if (left <= 0) return [{ verb: 'hang-up' }];
    if (holdPrompts.length === 0) return [{ verb: 'sleep', durationMs: left }, { verb: 'hang-up' }];
    const beganMs = left;
    const done = async (): Promise<Next> => {
      const pauseMs = minRoundMs - (beganMs - leftMs());
      return pauseMs > 0 ? [{ verb: 'sleep', durationMs: pauseMs, done: async () => round() }] : round();
    };
    return [{ verb: 'play', prompts: holdPrompts, done }];
  };
  if (introPrompts.length > 0) return [{ verb: 'play', prompts: introPrompts, done: async () => round() }];
  return [{ verb: 'answer', done: async () => round() }];
}
