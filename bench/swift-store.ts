import assert from 'node:assert/strict';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { sleep, systemClock } from '../src/clock.ts';
import { type Swift, startSwift, swiftKeys } from '../test/interop/swift.ts';
import { startWriteOnlyProxy, type WriteOnlyProxy } from '../test/interop/write-only-proxy.ts';
import type { BenchStore, VisibleObject } from './object-store.ts';

const pollMs = 5;

/** OpenStack Swift with its S3 interface on this machine (Debian, as root): a storage that writes to a disk. */
export class SwiftStore implements BenchStore {
  readonly name = 'swift';
  readonly credentials = `KEY:${swiftKeys.secretAccessKey}:eu-central-1`;
  readonly endpoint: URL;
  readonly #swift: Swift;
  readonly #proxy: WriteOnlyProxy;
  readonly #client: S3Client;

  private constructor(swift: Swift, proxy: WriteOnlyProxy) {
    this.#swift = swift;
    this.#proxy = proxy;
    this.endpoint = proxy.url;
    this.#client = new S3Client({
      endpoint: swift.urls['eu-central-1'].href,
      forcePathStyle: true,
      region: 'eu-central-1',
      credentials: swiftKeys,
    });
  }

  /** The proxy gives Swift the access key it knows, which has a colon in it. */
  static async open(): Promise<SwiftStore> {
    const swift = await startSwift('bench');
    const storage = swift.urls['eu-central-1'];
    const proxy = await startWriteOnlyProxy(() => ({ storage, accessKeyId: swiftKeys.accessKeyId }));
    return new SwiftStore(swift, proxy);
  }

  get bucket(): string {
    return this.#swift.bucket;
  }

  /** Nobody says what comes in: by the machine's time alone. */
  async quiet(forMs: number): Promise<void> {
    await sleep(systemClock, 2 * forMs);
  }

  async visible(key: string): Promise<VisibleObject> {
    const head = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
    for (;;) {
      const found = await this.#client.send(head).catch(() => undefined);
      if (found) return { atUs: systemClock.monotonicUs(), bytes: found.ContentLength ?? 0 };
      await sleep(systemClock, pollMs);
    }
  }

  async read(key: string): Promise<Buffer> {
    const stored = await this.#swift.stored(key);
    assert.ok(stored);
    return stored.content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    await this.#proxy.stop();
    await this.#swift.stop();
  }
}
