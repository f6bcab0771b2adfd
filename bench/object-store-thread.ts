import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../src/clock.ts';

/** What the thread says of itself, and of each object once it is visible. */
export type StoreMessage =
  | { kind: 'listening'; port: number }
  | { kind: 'arrived' }
  | { kind: 'visible'; key: string; atUs: number; bytes: number };

/** Bodies as they came, with what was said to be their MD5. */
interface StoredPart {
  content: Buffer;
  md5: string | undefined;
}

/**
 * What of Amazon's S3 a writer needs, in memory: objects, and uploads in parts that are visible once they are completed.
 * Checksums are kept for whoever reads, so that their cost is nobody's while time is taken.
 */
const objects = new Map<string, StoredPart[]>();
const uploads = new Map<string, Map<number, StoredPart>>();

async function bodyOf(request: IncomingMessage): Promise<StoredPart> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const md5 = request.headers['content-md5'];
  return { content: Buffer.concat(chunks), md5: typeof md5 === 'string' ? md5 : undefined };
}

function store(key: string, parts: StoredPart[]): void {
  objects.set(key, parts);
  const bytes = parts.reduce((sum, { content }) => sum + content.length, 0);
  tell({ kind: 'visible', key, atUs: systemClock.monotonicUs(), bytes });
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://store');
  const key = decodeURIComponent(pathname).split('/').slice(2).join('/');
  const uploadId = searchParams.get('uploadId') ?? undefined;
  const body = await bodyOf(request);
  tell({ kind: 'arrived' });
  switch (`${request.method} ${uploadId === undefined ? 'object' : 'upload'}`) {
    case 'PUT object':
      store(key, [body]);
      return void response.writeHead(200, { etag: '"whole"' }).end();
    case 'POST object': {
      const id = randomUUID();
      uploads.set(id, new Map());
      return void response.end(
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    case 'PUT upload': {
      const partNumber = Number(searchParams.get('partNumber'));
      uploads.get(uploadId!)?.set(partNumber, body);
      return void response.writeHead(200, { etag: `"${partNumber}"` }).end();
    }
    case 'POST upload': {
      const parts = [...(uploads.get(uploadId!) ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part);
      uploads.delete(uploadId!);
      store(key, parts);
      return void response.end(
        '<CompleteMultipartUploadResult><ETag>"parts"</ETag></CompleteMultipartUploadResult>',
      );
    }
    case 'DELETE upload':
      uploads.delete(uploadId!);
      return void response.writeHead(204).end();
    case 'GET object':
      return give(key, response);
    case 'DELETE object':
      objects.delete(key);
      return void response.writeHead(204).end();
    default:
      response.writeHead(405).end();
  }
}

function give(key: string, response: ServerResponse): void {
  const parts = objects.get(key);
  response.writeHead(parts ? 200 : 404, {
    'x-md5': JSON.stringify(parts?.map(({ md5, content }) => [md5, content.length]) ?? []),
  });
  response.end(Buffer.concat(parts?.map(({ content }) => content) ?? []));
}

function tell(message: StoreMessage): void {
  parentPort?.postMessage(message);
}

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
tell({ kind: 'listening', port: (server.address() as AddressInfo).port });
