import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { CredentialSeal } from './delivery/credential-seal.ts';
import { Deliverer } from './delivery/deliverer.ts';
import { Deliveries } from './delivery/deliveries.ts';
import { DeliveryRows } from './delivery/delivery-rows.ts';
import type { DestinationSettings } from './delivery/destinations/open-destination.ts';
import { OwnStore } from './delivery/destinations/own-store.ts';
import type { StorageEndpoint } from './delivery/destinations/storage-network.ts';
import { HandedCredentials } from './delivery/handed-credentials.ts';
import type { Foundation } from './foundation.ts';
import type { MasterKey } from './spool/keys.ts';
import type { RenderPool } from './worker/render-pool.ts';

/** What is known of destinations before there are calls. */
export interface DeliveryFoundation {
  seal: CredentialSeal;
  settings: DestinationSettings;
  ownStore: OwnStore | undefined;
  rows: DeliveryRows;
  credentials: HandedCredentials;
  /** By which deliveries are tried again. */
  clock: Clock;
}

/** Finished files on their way to their destinations. */
export interface DeliveryControl {
  deliverer: Deliverer;
  deliveries: Deliveries;
}

const storeDirectoryOf = (dataDir: string) => join(dataDir, 'store');

export function deliveryFoundation(
  { dataDir, delivery }: Config,
  masterKey: MasterKey,
  node: string,
  { clock, deliveryClock }: { clock: Clock; deliveryClock: Clock },
): DeliveryFoundation {
  const ownStore = delivery.ownStore ? new OwnStore(storeDirectoryOf(dataDir), masterKey) : undefined;
  const { s3, azure, fileDirectories, endpoints } = delivery;
  return {
    seal: new CredentialSeal(masterKey),
    settings: {
      ...{ clock, s3, azure, fileDirectories },
      endpoints: {
        ...endpointOf('s3', endpoints.s3),
        ...endpointOf('gs', endpoints.gs),
        ...endpointOf('azure', endpoints.azure),
      },
      ...(ownStore && { ownStore }),
    },
    ownStore,
    rows: new DeliveryRows(node, deliveryClock),
    credentials: new HandedCredentials(join(dataDir, 'handed-credentials')),
    clock: deliveryClock,
  };
}

/** The operator's own word: no guard. */
function endpointOf<S extends 's3' | 'gs' | 'azure'>(
  scheme: S,
  url: string | undefined,
): Partial<Record<S, StorageEndpoint>> {
  return url === undefined ? {} : ({ [scheme]: { url: new URL(url) } } as Record<S, StorageEndpoint>);
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
