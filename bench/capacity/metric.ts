/** The sum of a metric over all its labels. @param metrics what `GET /metrics` answered */
export function metricSum(metrics: string, name: string): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    const [series = '', value = ''] = line.split(' ');
    if (series === name || series.startsWith(`${name}{`)) sum += Number(value);
  }
  return sum;
}

/** Why calls were refused. @param metrics what `GET /metrics` answered */
export function shortagesOf(metrics: string): string[] {
  return [...metrics.matchAll(/^callreel_admission_refused_total\{reason="([^"]+)"\} (\d+)$/gm)]
    .filter(([, , count]) => Number(count) > 0)
    .map(([, reason]) => reason!);
}
