import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';

/** Keeps endpoints that users name out of our own networks (`callbacks/address-guard`). */
export interface EndpointGuard {
  /** @throws CallreelError CALLBACK_FORBIDDEN */
  checkHost(hostname: string): void;
  readonly lookup: LookupFunction;
}

/** Another address than the vendor's: a compatible storage, or a proxy before it. */
export interface StorageEndpoint {
  url: URL;
  /** For an address that is not the operator's own word. */
  guard?: EndpointGuard | undefined;
}

export interface StorageAgents {
  http: HttpAgent;
  https: HttpsAgent;
  close(): void;
}

const idleSocketMs = 10_000;

/** @throws CallreelError CALLBACK_FORBIDDEN */
export function storageAgents(endpoint: StorageEndpoint | undefined): StorageAgents {
  const guard = endpoint?.guard;
  if (guard && endpoint) guard.checkHost(endpoint.url.hostname);
  const options = { keepAlive: true, timeout: idleSocketMs, ...(guard ? { lookup: guard.lookup } : {}) };
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  return {
    http,
    https,
    close() {
      http.destroy();
      https.destroy();
    },
  };
}
