import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';

/** The account of Sinch's example. */
export const azureAccount = 'my-account';
export const azureAccountKey =
  'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==';

export interface Azurite {
  url: URL;
  /** With every right. */
  service: BlobServiceClient;
  stop(): Promise<void>;
}

/** Microsoft's own emulator of Blob Storage, which checks signatures; in memory, on a port of its own. */
export async function startAzurite(): Promise<Azurite> {
  const program = fileURLToPath(import.meta.resolve('azurite/dist/src/blob/main.js'));
  const options = [
    ...['--blobHost', '127.0.0.1', '--blobPort', '0', '--inMemoryPersistence'],
    // It checks what it knows of a version, which is a little behind the library's.
    ...['--skipApiVersionCheck', '--disableTelemetry'],
  ];
  const child = spawn(process.execPath, [program, ...options], {
    env: { PATH: process.env.PATH, AZURITE_ACCOUNTS: `${azureAccount}:${azureAccountKey}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = new URL(await listeningUrl(child));
  const credential = new StorageSharedKeyCredential(azureAccount, azureAccountKey);
  return {
    url,
    service: new BlobServiceClient(`${url.origin}/${azureAccount}`, credential),
    async stop() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    said += chunk;
    const url = /successfully listens on (http:\S+)/.exec(said)?.[1];
    if (url === undefined) continue;
    child.stdout!.resume();
    return url;
  }
  throw new Error(`azurite did not start: ${said}`);
}
