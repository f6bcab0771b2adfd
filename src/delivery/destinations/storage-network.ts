import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CallreelError } from '../../errors.ts';

/** Keeps endpoints that users name out of our own networks (`callbacks/address-guard`). */
export interface EndpointGuard {
  /** @throws CallreelError */
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
/** Storages answer writes with a few lines; the client libraries take any length into memory. */
const maxAnswerBytes = 1024 * 1024;

/** @throws CallreelError DESTINATION_FORBIDDEN */
export function storageAgents(endpoint: StorageEndpoint | undefined): StorageAgents {
  const guard = endpoint?.guard;
  if (guard && endpoint) checkEndpoint(guard, endpoint.url);
  const options = { keepAlive: true, timeout: idleSocketMs, ...(guard ? { lookup: guard.lookup } : {}) };
  const http = boundedAnswers(new HttpAgent(options));
  const https = boundedAnswers(new HttpsAgent(options));
  return {
    http,
    https,
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

function checkEndpoint(guard: EndpointGuard, { hostname }: URL): void {
  try {
    guard.checkHost(hostname);
  } catch (error) {
    const { message } = error as Error;
    throw new CallreelError('DESTINATION_FORBIDDEN', message, { where: hostname });
  }
}

/** Connections of this agent end where an answer goes on for too long. */
function boundedAnswers<A extends HttpAgent>(agent: A): A {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const connection = connect(options, callback);
    if (connection) bound(connection);
    return connection;
  };
  return agent;
}

function bound(connection: Duplex | Socket): void {
  let bytes = 0;
  connection.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) connection.destroy();
  });
  // When the connection waits for the next request.
  connection.on('free', () => {
    bytes = 0;
  });
}
