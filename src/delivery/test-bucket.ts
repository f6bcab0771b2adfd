import { createHash, randomBytes } from 'node:crypto';
import {
  type StorageServer,
  type StorageServerAnswer,
  type StorageServerRequest,
  startStorageServer,
} from './destinations/test-storage-server.ts';

export interface StoredFile {
  content: Buffer;
  contentType: string | undefined;
  /** So often it was written under this name. */
  writes: number;
}

/** A storage that does as S3 as far as writing goes, in memory, path style; it checks bodies, and no signatures. */
export class TestBucket {
  /** By bucket and key. */
  readonly files = new Map<string, StoredFile>();
  /** Unfinished uploads by id, each with its parts by number. */
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** So many bodies of parts were taken, of each number. */
  readonly partWrites = new Map<number, number>();
  /** What it answers in place of doing its work. */
  fault: (request: StorageServerRequest) => StorageServerAnswer | undefined = () => undefined;
  readonly server: StorageServer;

  private constructor(server: StorageServer) {
    this.server = server;
    server.answer = (request) => this.fault(request) ?? this.#answer(request);
  }

  static async start(): Promise<TestBucket> {
    return new TestBucket(await startStorageServer());
  }

  get url(): URL {
    return this.server.url;
  }

  #answer({ method, path, headers, body }: StorageServerRequest): StorageServerAnswer {
    const { pathname, searchParams } = new URL(path, this.url);
    const name = decodeURIComponent(pathname.slice(1));
    const uploadId = searchParams.get('uploadId');
    const contentType = headers['content-type'];
    if (method === 'PUT' && headers['content-md5'] !== createHash('md5').update(body).digest('base64'))
      return failure(400, 'BadDigest');
    if (method === 'PUT' && uploadId === null) return this.#store(name, body, contentType);
    if (method === 'POST' && searchParams.has('uploads')) return this.#begin(contentType);
    const parts = this.uploads.get(uploadId ?? '');
    if (!parts) return failure(404, 'NoSuchUpload');
    if (method === 'DELETE') {
      this.uploads.delete(uploadId ?? '');
      return { status: 204 };
    }
    if (method === 'PUT') return this.#putPart(parts, Number(searchParams.get('partNumber')), body);
    return this.#complete(name, uploadId ?? '', parts, body.toString());
  }

  #begin(contentType: string | undefined): StorageServerAnswer {
    // The type goes with the id: there is nowhere else to keep it.
    const uploadId = `${randomBytes(8).toString('hex')}.${Buffer.from(contentType ?? '').toString('hex')}`;
    this.uploads.set(uploadId, new Map());
    const xml = `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: xml };
  }

  #putPart(parts: Map<number, Buffer>, number: number, body: Buffer): StorageServerAnswer {
    parts.set(number, body);
    this.partWrites.set(number, (this.partWrites.get(number) ?? 0) + 1);
    return { status: 200, headers: { etag: etagOf(body) } };
  }

  #complete(name: string, uploadId: string, parts: Map<number, Buffer>, list: string): StorageServerAnswer {
    const listed = [...list.matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
      etag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"'),
    }));
    const bodies = listed.map(({ number }) => parts.get(number));
    if (listed.some(({ etag }, index) => bodies[index] === undefined || etag !== etagOf(bodies[index])))
      return failure(400, 'InvalidPart');
    this.uploads.delete(uploadId);
    const contentType = Buffer.from(uploadId.split('.')[1] ?? '', 'hex').toString();
    this.#store(name, Buffer.concat(bodies as Buffer[]), contentType);
    const xml = '<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>';
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: xml };
  }

  #store(name: string, content: Buffer, contentType: string | undefined): StorageServerAnswer {
    const writes = (this.files.get(name)?.writes ?? 0) + 1;
    this.files.set(name, { content, contentType, writes });
    return { status: 200, headers: { etag: etagOf(content) } };
  }
}

export function failure(status: number, code: string, message = `${code} it is`): StorageServerAnswer {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}

function etagOf(content: Buffer): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}
