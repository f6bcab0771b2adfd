import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../secret.ts';
import type { Destination, StoredObject, Upload } from './destination.ts';
import type { StorageFailure } from './storage-error.ts';
import { type StorageAgents, type StorageEndpoint, storageAgents } from './storage-network.ts';
import { connectionFailure, type StorageRequester, storageRequester } from './storage-request.ts';

export interface S3Options {
  scheme: 's3' | 'gs';
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: Secret; region: string };
  clock: Clock;
  endpoint?: StorageEndpoint | undefined;
  /** Amazon's, and of those who do as Amazon; Cloud Storage knows neither. */
  encryption?: S3Encryption | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
}

export interface S3Encryption {
  algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  kmsKeyId?: string | undefined;
}

const mebibyte = 1024 * 1024;
const hostLabel = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** In place of a region that is none. */
const anyHostLabel = 'us-east-1';
const googleEndpoint = 'https://storage.googleapis.com';

/**
 * A bucket of Amazon S3, of a storage that does as it, or of Google Cloud Storage by its XML API. Uses PutObject,
 * CreateMultipartUpload, UploadPart, CompleteMultipartUpload and AbortMultipartUpload: but for the last all are
 * covered by the right `s3:PutObject`. Every body has its Content-MD5, which the storage checks before it answers.
 */
export class S3Destination implements Destination {
  /** Amazon wants at least 5 MiB; 80 GB in all. */
  readonly partBytes = 8 * mebibyte;
  readonly maxParts = 10_000;
  readonly #options: S3Options;
  readonly #client: S3Client;
  readonly #agents: StorageAgents;
  readonly #request: StorageRequester;

  /** @throws CallreelError DESTINATION_FORBIDDEN for an endpoint that the guard refuses */
  constructor(options: S3Options) {
    this.#options = options;
    this.#agents = storageAgents(options.endpoint);
    this.#client = new S3Client(clientConfig(options, this.#agents));
    signFor(options.credentials.region, this.#client);
    const { accessKeyId, secretAccessKey } = options.credentials;
    this.#request = storageRequester({
      clock: options.clock,
      secrets: [secretAccessKey.reveal(), accessKeyId],
      urlOf: (key) => this.urlOf(key),
      failureOf: s3Failure,
    });
  }

  urlOf(key: string): string {
    return `${this.#options.scheme}://${this.#options.bucket}/${key}`;
  }

  async put(object: StoredObject, content: Uint8Array, signal: AbortSignal): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#header(object),
      Body: content,
      ContentMD5: contentMd5(content),
    });
    await this.#request(object, content.length, signal, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
  }

  async beginUpload(object: StoredObject, signal: AbortSignal): Promise<string> {
    const command = new CreateMultipartUploadCommand(this.#header(object));
    const { UploadId } = await this.#request(object, 0, signal, async (abortSignal) =>
      answered(await this.#client.send(command, { abortSignal }), 'UploadId'),
    );
    return UploadId;
  }

  async putPart(
    upload: Upload,
    partNumber: number,
    content: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const command = new UploadPartCommand({
      ...this.#named(upload),
      UploadId: upload.uploadId,
      PartNumber: partNumber,
      Body: content,
      ContentMD5: contentMd5(content),
    });
    const { ETag } = await this.#request(upload, content.length, signal, async (abortSignal) =>
      answered(await this.#client.send(command, { abortSignal }), 'ETag'),
    );
    return ETag;
  }

  async completeUpload(upload: Upload, receipts: readonly string[], signal: AbortSignal): Promise<void> {
    const Parts = receipts.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const command = new CompleteMultipartUploadCommand({
      ...this.#named(upload),
      UploadId: upload.uploadId,
      MultipartUpload: { Parts },
    });
    await this.#request(upload, 0, signal, async (abortSignal) =>
      answered(await this.#client.send(command, { abortSignal }), 'ETag'),
    );
  }

  async abortUpload(upload: Upload, signal: AbortSignal): Promise<void> {
    const command = new AbortMultipartUploadCommand({ ...this.#named(upload), UploadId: upload.uploadId });
    await this.#request(upload, 0, signal, async (abortSignal) => {
      try {
        await this.#client.send(command, { abortSignal });
      } catch (error) {
        if (s3Failure(error).status !== 404) throw error;
      }
    });
  }

  close(): void {
    this.#client.destroy();
    this.#agents.close();
  }

  #named({ key }: StoredObject): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: key };
  }

  #header(object: StoredObject) {
    const { encryption, tags } = this.#options;
    return {
      ...this.#named(object),
      ContentType: object.contentType,
      ...(encryption && { ServerSideEncryption: encryption.algorithm, SSEKMSKeyId: encryption.kmsKeyId }),
      ...(tags && { Tagging: new URLSearchParams(tags).toString() }),
    };
  }
}

function clientConfig(
  { scheme, credentials, endpoint }: S3Options,
  { http, https }: StorageAgents,
): S3ClientConfig {
  const address = endpoint?.url.href ?? (scheme === 'gs' ? googleEndpoint : undefined);
  const { accessKeyId, secretAccessKey, region } = credentials;
  return {
    region: hostLabel.test(region) ? region : anyHostLabel,
    credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
    // A delivery that failed is tried again by whoever ordered it, and is told at once.
    maxAttempts: 1,
    // The newer checksums of Amazon are refused elsewhere; Content-MD5 is checked everywhere.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({ httpAgent: http, httpsAgent: https }),
    ...(address === undefined ? {} : { endpoint: address, forcePathStyle: true }),
  };
}

/** The library takes only regions that can stand in a host name; in what is signed any may. */
function signFor(region: string, { config }: S3Client): void {
  if (hostLabel.test(region)) return;
  const provide = config.endpointProvider;
  config.endpointProvider = (...asked: Parameters<typeof provide>) => {
    const endpoint = provide(...asked);
    // A copy: the library keeps its endpoints for all of its clients.
    const authSchemes = endpoint.properties?.authSchemes?.map((scheme) => ({
      ...scheme,
      signingRegion: region,
    }));
    return { ...endpoint, properties: Object.assign({}, endpoint.properties, { authSchemes }) };
  };
}

function contentMd5(content: Uint8Array): string {
  return createHash('md5').update(content).digest('base64');
}

/** A proxy's empty 200 is no answer of a storage. */
function answered<K extends string, A extends Partial<Record<K, string | undefined>>>(
  answer: A,
  field: K,
): A & Record<K, string> {
  if (!answer[field]) throw new Error(`the answer names no ${field}: it is not a storage's`);
  return answer as A & Record<K, string>;
}

/** For programmers, behind what was wrong with the answer. */
const libraryAdvice = /\s*Deserialization error: to see the raw response.*$/s;

/** A proxy's page, say. */
const unreadable = /XML parse error/;

/** An S3ServiceException, or what the connection died of. */
function s3Failure(error: unknown): StorageFailure {
  const { $metadata, $response, name } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
    name?: string;
  };
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  if (status === undefined) return connectionFailure(error);
  const uploadLost = name === 'NoSuchUpload';
  const text = connectionFailure(error).text.replace(libraryAdvice, '').trim();
  if (name === 'Unknown' || unreadable.test(text))
    return { status, text: 'the answer has no error of a storage in it' };
  return { status, name: name === 'Error' ? undefined : name, text, uploadLost };
}
