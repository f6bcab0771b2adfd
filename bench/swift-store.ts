import assert from 'node:assert/strict';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { sleep, systemClock } from '../src/clock.ts';
import { type Swift, startSwift, swiftKeys } from '../test/interop/swift.ts';
import type { BenchStore, VisibleObject } from './object-store.ts';

const pollMs = 5;

/** OpenStack Swift with its S3 interface on this machine (Debian, as root): a storage that writes to a disk. */
export class SwiftStore implements BenchStore {
  readonly name = 'swift';
  readonly #swift: Swift;
  readonly #client: S3Client;

  private constructor(swift: Swift) {
    this.#swift = swift;
    this.#client = new S3Client({
      endpoint: this.endpoint.href,
      forcePathStyle: true,
      region: 'eu-central-1',
      credentials: swiftKeys,
    });
  }

  static async open(): Promise<SwiftStore> {
    return new SwiftStore(await startSwift('bench'));
  }

  get endpoint(): URL {
    return this.#swift.urls['eu-central-1'];
  }

  get bucket(): string {
    return this.#swift.bucket;
  }

  /** Its access key has a colon, which a URL's credentials cannot say: the first colon ends it. */
  get credentials(): string {
    return `${swiftKeys.accessKeyId}:${swiftKeys.secretAccessKey}:eu-central-1`;
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
    await this.#swift.stop();
  }
}
