import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { CredentialSeal } from './delivery/credential-seal.ts';
import { DeliveryRows } from './delivery/delivery-rows.ts';
import type { DestinationSettings } from './delivery/destinations/open-destination.ts';
import { OwnStore } from './delivery/destinations/own-store.ts';
import type { StorageEndpoint } from './delivery/destinations/storage-network.ts';
import { HandedCredentials } from './delivery/handed-credentials.ts';
import type { MasterKey } from './spool/keys.ts';

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

export const storeDirectoryOf = (dataDir: string) => join(dataDir, 'store');

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
