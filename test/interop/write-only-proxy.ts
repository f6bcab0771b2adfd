import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WriteOnlyProxy {
  url: URL;
  /** What it refused: method and path. */
  refused: string[];
  stop(): Promise<void>;
}

/** Where a request of that access key, signed for that region, goes, and with which access key. */
export type ProxiedTo = (accessKeyId: string, region: string) => { storage: URL; accessKeyId: string };

/**
 * Stands before a storage and refuses everything but writes. Where the storage speaks S3 it is given another access key
 * than was sent: the name of the key is not signed, the secret must still be the right one.
 */
export async function startWriteOnlyProxy(to: ProxiedTo): Promise<WriteOnlyProxy> {
  const refused: string[] = [];
  const server = createServer((incoming, response) => {
    const { method = '', url: path = '', headers } = incoming;
    if (method !== 'PUT' && method !== 'POST') {
      refused.push(`${method} ${path}`);
      incoming.resume();
      response.writeHead(403).end();
      return;
    }
    const [, given = '', region = ''] =
      /Credential=([^/]*)\/\d+\/([^/]*)/.exec(headers.authorization ?? '') ?? [];
    const { storage, accessKeyId } = to(given, region);
    const authorization = headers.authorization?.replace(/Credential=[^/]*/, `Credential=${accessKeyId}`);
    const { hostname, port } = storage;
    const outgoing = request({ hostname, port, method, path, headers: { ...headers, authorization } });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    refused,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
