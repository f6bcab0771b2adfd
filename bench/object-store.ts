import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { sleep, systemClock } from '../src/clock.ts';
import type { StoreMessage } from './object-store-thread.ts';

export interface VisibleObject {
  /** Monotonic microseconds. */
  atUs: number;
  bytes: number;
}

/** A storage that speaks S3, and says at which moment an object came to be visible in it. */
export interface BenchStore extends AsyncDisposable {
  readonly name: string;
  readonly endpoint: URL;
  readonly bucket: string;
  /** `AccessKey:SecretKey:Region` */
  readonly credentials: string;
  /** Resolves once nothing has been sent for so long: what is done along with a call has caught up with it. */
  quiet(forMs: number): Promise<void>;
  /** Resolves once the object is there. */
  visible(key: string): Promise<VisibleObject>;
  /** The content, whose parts have the checksums that they were sent with. */
  read(key: string): Promise<Buffer>;
}

/** In a thread of its own, in memory. */
export class LocalStore implements BenchStore {
  readonly name = 'local';
  readonly bucket = 'bench';
  readonly credentials = 'KEY:SECRET:eu-central-1';
  readonly endpoint: URL;
  readonly #worker: Worker;
  #arrivedUs = 0;
  readonly #visible = new Map<string, PromiseWithResolvers<VisibleObject>>();

  private constructor(worker: Worker, port: number) {
    this.#worker = worker;
    this.endpoint = new URL(`http://127.0.0.1:${port}`);
    worker.on('message', (message: StoreMessage) => {
      this.#arrivedUs = systemClock.monotonicUs();
      if (message.kind === 'visible') this.#waiting(message.key).resolve(message);
    });
  }

  static async open(): Promise<LocalStore> {
    const worker = new Worker(new URL('./object-store-thread.ts', import.meta.url));
    const [message] = (await once(worker, 'message')) as [StoreMessage];
    assert.equal(message.kind, 'listening');
    return new LocalStore(worker, message.port);
  }

  async quiet(forMs: number): Promise<void> {
    this.#arrivedUs = systemClock.monotonicUs();
    for (;;) {
      const leftMs = forMs - (systemClock.monotonicUs() - this.#arrivedUs) / 1000;
      if (leftMs <= 0) return;
      await sleep(systemClock, leftMs);
    }
  }

  visible(key: string): Promise<VisibleObject> {
    return this.#waiting(key).promise;
  }

  async read(key: string): Promise<Buffer> {
    const url = new URL(`/${this.bucket}/${key}`, this.endpoint);
    const response = await fetch(url);
    assert.equal(response.status, 200);
    const content = Buffer.from(await response.arrayBuffer());
    let at = 0;
    for (const [md5, bytes] of JSON.parse(response.headers.get('x-md5') ?? '[]') as [string, number][]) {
      assert.equal(
        createHash('md5')
          .update(content.subarray(at, at + bytes))
          .digest('base64'),
        md5,
      );
      at += bytes;
    }
    assert.equal(at, content.length);
    await fetch(url, { method: 'DELETE' });
    return content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #waiting(key: string): PromiseWithResolvers<VisibleObject> {
    const known = this.#visible.get(key) ?? Promise.withResolvers<VisibleObject>();
    this.#visible.set(key, known);
    return known;
  }
}
