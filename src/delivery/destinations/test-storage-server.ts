import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StorageServerRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** `cut` ends the connection without an answer, `stall` never answers. */
export type StorageServerAnswer =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'cut'
  | 'stall';

export interface StorageServer {
  url: URL;
  requests: StorageServerRequest[];
  /** What the next requests are answered; a plain 200 with an ETag to begin with. */
  answer: (request: StorageServerRequest) => StorageServerAnswer;
  /** Resolves when the next request is here. */
  nextRequest(): Promise<StorageServerRequest>;
  /** Ends every connection, those that stall among them. */
  cutAll(): void;
  stop(): Promise<void>;
}

/** What a storage does when it is not well, which the real ones here never do on demand. */
export async function startStorageServer(): Promise<StorageServer> {
  const requests: StorageServerRequest[] = [];
  let arrived: (request: StorageServerRequest) => void = () => {};
  const http = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks) };
    requests.push(request);
    arrived(request);
    const answer = server.answer(request);
    if (answer === 'stall') return;
    if (answer === 'cut') incoming.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: StorageServer = {
    url: new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
    requests,
    answer: () => ({ status: 200, headers: { etag: '"0123"' } }),
    nextRequest: () =>
      new Promise((resolve) => {
        arrived = resolve;
      }),
    cutAll: () => http.closeAllConnections(),
    async stop() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}
