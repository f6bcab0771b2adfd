import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { Deliverer } from './delivery/deliverer.ts';
import { Deliveries } from './delivery/deliveries.ts';
import { storeDirectoryOf } from './destinations.ts';
import type { Foundation } from './foundation.ts';
import type { RenderPool } from './worker/render-pool.ts';

/** Finished files on their way to their destinations. */
export interface DeliveryControl {
  deliverer: Deliverer;
  deliveries: Deliveries;
}

/** Built, and not yet started. @param parts takes what must be closed, in the order of opening */
export function openDeliveries(
  config: Config,
  foundation: Foundation,
  renders: RenderPool,
  parts: AsyncDisposableStack,
): DeliveryControl {
  const { db, log, node, outbox, directory, delivery } = foundation;
  const { retryDays, concurrency } = config.delivery;
  const deliverer = new Deliverer({
    ...delivery,
    ...{ db, log, node, outbox, renders, retryDays, concurrency },
    rendering: `${productVersion()} ${config.recording.lossConcealment}`,
    tell: (trx, row, state) => directory.deliveryChanged(trx, row, state),
    storeDirectory: delivery.ownStore && storeDirectoryOf(config.dataDir),
  });
  parts.defer(() => deliverer.stop());
  return { deliverer, deliveries: new Deliveries({ ...delivery, db, deliverer }) };
}

function productVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
