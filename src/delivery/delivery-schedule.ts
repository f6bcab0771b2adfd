/** Seconds until the next try, after the first failure, the second ...; the last goes on. */
const delaysSeconds: readonly number[] = [5, 15, 60, 300, 900, 1800, 3600, 7200];
const dayMs = 24 * 3_600_000;
/** Credentials of what was given up are kept so long for "deliver again". */
export const deadCredentialsMs = 30 * dayMs;

/**
 * @param attempts failed so far, at least 1
 * @param waitedMs since the recording ended, or "deliver again"
 * @returns milliseconds to wait, or undefined when the time is up
 */
export function deliveryDelayMs(attempts: number, waitedMs: number, retryDays: number): number | undefined {
  const delayMs = (delaysSeconds[attempts - 1] ?? delaysSeconds.at(-1) ?? 0) * 1000;
  return waitedMs + delayMs > retryDays * dayMs ? undefined : delayMs;
}
