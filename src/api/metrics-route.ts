import type { FastifyInstance } from 'fastify';
import { type Clock, within } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { type Metric, type MetricSource, metricsContentType, metricsText } from './metrics-text.ts';

export interface MetricsRouteOptions {
  clock: Clock;
  log: Logger;
  /** In the order in which they are given out. */
  metricSources: readonly MetricSource[];
}

/** Well within what a scraper waits for. */
const sourceLimitMs = 3000;

/** `GET /metrics`, for Prometheus. A database that is away takes its own figures along, and no others. */
export function metricsRoute(app: FastifyInstance, { clock, log, metricSources }: MetricsRouteOptions): void {
  app.get('/metrics', async (_request, reply) => {
    const collected = await Promise.all(metricSources.map((source) => collect(source, clock, log)));
    const up: Metric = {
      name: 'callreel_metrics_up',
      type: 'gauge',
      help: 'Whether these figures are there: 0 where they could not be had in time.',
      samples: metricSources.map(({ name }, index) => ({
        labels: { of: name },
        value: collected[index] ? 1 : 0,
      })),
    };
    void reply.header('content-type', metricsContentType).header('cache-control', 'no-store');
    return metricsText([up, ...collected.flatMap((metrics) => metrics ?? [])]);
  });
}

async function collect(
  { name, collect: ask }: MetricSource,
  clock: Clock,
  log: Logger,
): Promise<readonly Metric[] | undefined> {
  const asked = (async () => await ask())().catch((error: unknown) => {
    log.warn({ of: name, error }, 'metrics could not be had');
    return undefined;
  });
  return await within(clock, sourceLimitMs, asked);
}
