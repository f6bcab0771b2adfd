/** When a failed delivery is tried again and when it is given up; after the Standard Webhooks recommendation. */
const firstDelaySeconds = 5;
const delayFactor = 3;
const maxDelaySeconds = 6 * 3600;
export const giveUpAfterMs = 72 * 3_600_000;

/**
 * @param attempts failed so far, at least 1
 * @param waitedMs since the event was written or replayed
 * @returns seconds to wait, or undefined when the time is up
 */
export function retryDelaySeconds(attempts: number, waitedMs: number): number | undefined {
  const delaySeconds = Math.min(firstDelaySeconds * delayFactor ** (attempts - 1), maxDelaySeconds);
  return waitedMs + delaySeconds * 1000 > giveUpAfterMs ? undefined : delaySeconds;
}
