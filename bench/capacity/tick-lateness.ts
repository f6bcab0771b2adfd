const bucketLine = /^callreel_media_tick_lateness_seconds_bucket\{worker="[^"]+",le="([^"]+)"\} (\d+)$/gm;

/** Ticks that were at most so late, over all media workers, by the bound in ms. */
export type TicksByLateness = ReadonlyMap<number, number>;

/** @param metrics what `GET /metrics` answered */
export function readTicks(metrics: string): TicksByLateness {
  const ticks = new Map<number, number>();
  for (const [, bound, count] of metrics.matchAll(bucketLine)) {
    const boundMs = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound) * 1000;
    ticks.set(boundMs, (ticks.get(boundMs) ?? 0) + Number(count));
  }
  return ticks;
}

/** @returns the smallest bound, in ms, that this part of the ticks between two readings kept; NaN where there was none */
export function latenessMs(before: TicksByLateness, after: TicksByLateness, part: number): number {
  const between = [...after].map(
    ([boundMs, count]) => [boundMs, count - (before.get(boundMs) ?? 0)] as const,
  );
  const all = Math.max(0, ...between.map(([, count]) => count));
  return between.find(([, count]) => all > 0 && count >= part * all)?.[0] ?? Number.NaN;
}
