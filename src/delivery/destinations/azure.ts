import { createHash, randomBytes } from 'node:crypto';
import {
  AnonymousCredential,
  BlobServiceClient,
  type BlockBlobClient,
  newPipeline,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../secret.ts';
import { azureHttpClient } from './azure-http-client.ts';
import type { Destination, StoredObject, Upload } from './destination.ts';
import type { StorageFailure } from './storage-error.ts';
import { type StorageAgents, type StorageEndpoint, storageAgents } from './storage-network.ts';
import { connectionFailure, type StorageRequester, storageRequester } from './storage-request.ts';

export interface AzureOptions {
  account: string;
  container: string;
  credentials:
    | { kind: 'account-key'; accountKey: Secret }
    | { kind: 'shared-access-signature'; signature: Secret };
  clock: Clock;
  endpoint?: StorageEndpoint | undefined;
  /** Needs the right to write tags. */
  tags?: Readonly<Record<string, string>> | undefined;
  /** Of the account's customer-managed keys. */
  encryptionScope?: string | undefined;
}

const mebibyte = 1024 * 1024;
const uploadIdBytes = 12;

/**
 * A container of Azure Blob Storage: block blobs by Put Blob, Put Block and Put Block List, which the rights `create`
 * and `write` cover. Every body has its MD5, which the storage checks before it answers.
 */
export class AzureDestination implements Destination {
  readonly partBytes = 8 * mebibyte;
  readonly maxParts = 50_000;
  readonly #options: AzureOptions;
  readonly #service: BlobServiceClient;
  readonly #agents: StorageAgents;
  readonly #request: StorageRequester;

  /** @throws CallreelError DESTINATION_FORBIDDEN for an endpoint that the guard refuses */
  constructor(options: AzureOptions) {
    this.#options = options;
    this.#agents = storageAgents(options.endpoint);
    this.#service = serviceClient(options, this.#agents);
    this.#request = storageRequester({
      clock: options.clock,
      secrets: secretsOf(options),
      urlOf: (key) => this.urlOf(key),
      failureOf: azureFailure,
    });
  }

  urlOf(key: string): string {
    return `azure://${this.#options.account}/${this.#options.container}/${key}`;
  }

  async put(object: StoredObject, content: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#request(object, content.length, signal, (abortSignal) =>
      this.#blob(object).upload(content, content.length, {
        ...this.#header(),
        blobHTTPHeaders: { blobContentType: object.contentType, blobContentMD5: md5(content) },
        abortSignal,
      }),
    );
  }

  /** Azure knows no beginning: the id makes our blocks ours. */
  async beginUpload(_object: StoredObject, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return randomBytes(uploadIdBytes).toString('hex');
  }

  async putPart(
    upload: Upload,
    partNumber: number,
    content: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const blockId = blockIdOf(upload, partNumber);
    const { encryptionScope } = this.#options;
    await this.#request(upload, content.length, signal, (abortSignal) =>
      this.#blob(upload).stageBlock(blockId, content, content.length, {
        transactionalContentMD5: md5(content),
        encryptionScope,
        abortSignal,
      }),
    );
    return blockId;
  }

  async completeUpload(upload: Upload, receipts: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#request(upload, 0, signal, (abortSignal) =>
      this.#blob(upload).commitBlockList([...receipts], {
        ...this.#header(),
        blobHTTPHeaders: { blobContentType: upload.contentType },
        abortSignal,
      }),
    );
  }

  /** Azure itself discards blocks that nobody made a blob of, after a week; nothing else can without harm to a blob. */
  async abortUpload(_upload: Upload, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  close(): void {
    this.#agents.close();
  }

  #blob({ key }: StoredObject): BlockBlobClient {
    return this.#service.getContainerClient(this.#options.container).getBlockBlobClient(key);
  }

  #header() {
    const { tags, encryptionScope } = this.#options;
    return { ...(tags && { tags: { ...tags } }), ...(encryptionScope && { encryptionScope }) };
  }
}

function serviceClient(
  { account, credentials, endpoint }: AzureOptions,
  agents: StorageAgents,
): BlobServiceClient {
  const base = endpoint
    ? `${endpoint.url.href.replace(/\/$/, '')}/${account}`
    : `https://${account}.blob.core.windows.net`;
  const byKey = credentials.kind === 'account-key';
  const address = byKey ? base : `${base}?${credentials.signature.reveal()}`;
  const credential = byKey
    ? new StorageSharedKeyCredential(account, credentials.accountKey.reveal())
    : new AnonymousCredential();
  // A delivery that failed is tried again by whoever ordered it, and is told at once.
  const retryOptions = { maxTries: 1 };
  return new BlobServiceClient(
    address,
    newPipeline(credential, { retryOptions, httpClient: azureHttpClient(agents) }),
  );
}

/** The same length for every block of a blob, which Azure demands. */
function blockIdOf({ uploadId }: Upload, partNumber: number): string {
  return Buffer.from(`${uploadId}-${String(partNumber).padStart(5, '0')}`).toString('base64');
}

function md5(content: Uint8Array): Uint8Array {
  return createHash('md5').update(content).digest();
}

function secretsOf({ credentials }: AzureOptions): string[] {
  if (credentials.kind === 'account-key') return [credentials.accountKey.reveal()];
  const signature = credentials.signature.reveal();
  const sig = /(?:^|&)sig=([^&]*)/.exec(signature)?.[1] ?? '';
  return [signature, sig, sig.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=')];
}

/** A RestError, or what the connection died of. */
function azureFailure(error: unknown): StorageFailure {
  if (!(error instanceof Error)) return connectionFailure(error);
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode === undefined) return connectionFailure(error);
  const { text } = connectionFailure(error);
  return { status: statusCode, name: code, text, uploadLost: code === 'InvalidBlockList' };
}
