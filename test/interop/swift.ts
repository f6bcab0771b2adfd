import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { CreateBucketCommand, GetObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { ensurePackages } from './debian.ts';
import { freePort } from './free-port.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const host = '127.0.0.1';
const rings = ['object', 'container', 'account'] as const;
const startAttempts = 300;

/** Of a user of Swift's own authentication, whose access keys have a colon; the secret is Amazon's example. */
export const swiftKeys = {
  accessKeyId: 'test:tester',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

/** Others of the same account, with the secrets that stand for one on the vendor's page. */
export const swiftUsers = {
  KEY: { accessKeyId: 'test:key', secretAccessKey: 'SECRET' },
  xyz_access_key: { accessKeyId: 'test:xyz', secretAccessKey: 'wrt_secret_key' },
} as const;

/** A region to Amazon, what Cloud Storage takes for one, and what stands for one on the vendor's page. */
const regions = ['eu-central-1', 'auto', 'aws_region'] as const;

export type SwiftRegion = (typeof regions)[number];

export interface Swift {
  /** The S3 interface, one for each region that requests may be signed for. */
  urls: Readonly<Record<SwiftRegion, URL>>;
  bucket: string;
  /** What is stored, read with every right; in the bucket unless another one is named. */
  stored(
    key: string,
    bucket?: string,
  ): Promise<{ content: Buffer; contentType?: string | undefined } | undefined>;
  stop(): Promise<void>;
}

/** OpenStack Swift with its S3 interface on one disk: a storage that checks signatures, checksums and part sizes. */
export async function startSwift(bucket: string, ...otherBuckets: string[]): Promise<Swift> {
  await ensurePackages('swift-proxy', 'swift-account', 'swift-container', 'swift-object', 'memcached');
  const folder = await temporaryFolder('swift');
  await mkdir(folder.file('disks/disk'), { recursive: true });
  await writeFile(
    folder.file('swift.conf'),
    `[swift-hash]
swift_hash_path_suffix = callreel
[storage-policy:0]
name = gold
default = yes
`,
  );
  const children: ChildProcess[] = [];
  const stop = async () => {
    for (const child of children) {
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.kill()) await exited;
    }
    await folder.remove();
  };
  try {
    const urls = await startServers(folder, children);
    const client = new S3Client({
      endpoint: urls['eu-central-1'].href,
      forcePathStyle: true,
      region: 'eu-central-1',
      credentials: swiftKeys,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    for (const name of [bucket, ...otherBuckets])
      await client.send(new CreateBucketCommand({ Bucket: name }));
    return {
      urls,
      bucket,
      stored: (key, name = bucket) => readObject(client, name, key),
      async stop() {
        client.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param children takes every process that was started */
async function startServers(folder: TemporaryFolder, children: ChildProcess[]): Promise<Swift['urls']> {
  const memcachedPort = await freePort();
  const memcached = ['-u', 'nobody', '-l', host, '-p', String(memcachedPort), '-U', '0'];
  await Promise.all([
    start(folder, children, { program: 'memcached', port: memcachedPort, options: memcached }),
    ...rings.map((ring) => startRing(folder, children, ring)),
  ]);
  const [amazon, google, page] = await Promise.all(
    regions.map(async (region) => {
      const port = await freePort();
      const settings = folder.file(`proxy-${region}.conf`);
      await writeFile(settings, proxySettings(folder, { port, memcachedPort, region }));
      await start(folder, children, { program: 'swift-proxy-server', port, options: [settings] });
      return new URL(`http://${host}:${port}`);
    }),
  );
  return { 'eu-central-1': amazon!, auto: google!, aws_region: page! };
}

async function readObject(client: S3Client, bucket: string, key: string): ReturnType<Swift['stored']> {
  try {
    const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { content: Buffer.from(await Body!.transformToByteArray()), contentType: ContentType };
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  }
}

function commonSettings(folder: TemporaryFolder, port: number): string {
  return `[DEFAULT]
bind_ip = ${host}
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${folder.path}
log_address = ${folder.file('no-syslog')}
`;
}

async function startRing(
  folder: TemporaryFolder,
  children: ChildProcess[],
  ring: (typeof rings)[number],
): Promise<void> {
  const port = await freePort();
  const builder = folder.file(`${ring}.builder`);
  await run('swift-ring-builder', [builder, 'create', '4', '1', '1']);
  await run('swift-ring-builder', [builder, 'add', `r1z1-${host}:${port}/disk`, '1']);
  await run('swift-ring-builder', [builder, 'rebalance']);
  const settings = folder.file(`${ring}-server.conf`);
  await writeFile(
    settings,
    `${commonSettings(folder, port)}devices = ${folder.file('disks')}
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = ${ring}-server
[app:${ring}-server]
use = egg:swift#${ring}
`,
  );
  await start(folder, children, { program: `swift-${ring}-server`, port, options: [settings] });
}

function proxySettings(
  folder: TemporaryFolder,
  { port, memcachedPort, region }: { port: number; memcachedPort: number; region: string },
): string {
  const users = [swiftKeys, ...Object.values(swiftUsers)]
    .map(
      ({ accessKeyId, secretAccessKey }) =>
        `user_${accessKeyId.replace(':', '_')} = ${secretAccessKey} .admin`,
    )
    .join('\n');
  return `${commonSettings(folder, port)}
[pipeline:main]
pipeline = catch_errors cache bulk s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = ${host}:${memcachedPort}
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:s3api]
use = egg:swift#s3api
location = ${region}
[filter:tempauth]
use = egg:swift#tempauth
${users}
`;
}

/** Runs a program until it listens. */
async function start(
  folder: TemporaryFolder,
  children: ChildProcess[],
  { program, port, options }: { program: string; port: number; options: string[] },
): Promise<void> {
  const logFile = folder.file(`${program}-${port}.log`);
  const log = await open(logFile, 'w');
  const child = spawn(program, options, { stdio: ['ignore', log.fd, log.fd] });
  children.push(child);
  await log.close();
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    if (await listens(port)) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${program} did not start: ${await readFile(logFile, 'utf8')}`);
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
