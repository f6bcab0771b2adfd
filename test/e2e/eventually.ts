import { AssertionError } from 'node:assert';
import { sleep, systemClock } from '../../src/clock.ts';

const pollMs = 20;

/**
 * Asks again and again until there is an answer.
 * @throws AssertionError after the time-out
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineUs = systemClock.monotonicUs() + timeoutMs * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (systemClock.monotonicUs() > deadlineUs)
      throw new AssertionError({ message: `${what}: not within ${timeoutMs} ms` });
    await sleep(systemClock, pollMs);
  }
}
