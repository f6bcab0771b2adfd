import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CallreelError } from '../errors.ts';
import { abortable } from './abortable.ts';
import type { PackageFetch } from './npm-pack.ts';
import { readTarball } from './tar-members.ts';

/** Files of one npm package, pinned: a name and what they must be, to the bit. */
export interface PinnedPackage {
  /** `name@version`. */
  spec: string;
  /** Of the tarball, as npm's lockfiles write it: `sha512-` and base64. */
  integrity: string;
  files: readonly PinnedFile[];
}

export interface PinnedFile {
  /** In the tarball. */
  member: string;
  /** In the data directory. */
  name: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Moonshine base, English, as its authors quantised it (MIT); not the Spanish weights, whose licence limits revenue. */
export const moonshineBase: PinnedPackage = {
  spec: '@usefulsensors/moonshine-js@0.1.16',
  integrity:
    'sha512-iQIF4XHwyPxBm1l/ECJPjJLQj8RvlYj2guRsiUgrfa9vSE3gYXeaoV2DHjNgi7NIUTyl648AG2t+Ndbrj+L7TA==',
  files: [
    {
      member: 'package/dist/model/base/quantized/encoder_model.onnx',
      name: 'moonshine-base-encoder.onnx',
      bytes: 20_513_063,
      sha256: '1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751',
    },
    {
      member: 'package/dist/model/base/quantized/decoder_model_merged.onnx',
      name: 'moonshine-base-decoder.onnx',
      bytes: 42_498_870,
      sha256: 'cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3',
    },
  ],
};

/** Silero VAD v5 (MIT). */
export const sileroVad: PinnedPackage = {
  spec: '@ricky0123/vad-web@0.0.31',
  integrity:
    'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
  files: [
    {
      member: 'package/dist/silero_vad_v5.onnx',
      name: 'silero-vad-v5.onnx',
      bytes: 2_327_524,
      sha256: '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f',
    },
  ],
};

const scratchPrefix = 'fetching-';

/**
 * The files of a package in a folder: as they lie there, or out of its tarball, which is looked for in the folder and
 * asked for only where it is not there either. Afterwards nothing but the folder is needed.
 * @returns path of each file, by name
 * @throws CallreelError TRANSCRIPTION_UNAVAILABLE
 * @throws the signal's reason
 */
export function takeWeights(
  wanted: PinnedPackage,
  folder: string,
  fetch: PackageFetch,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  return inTurn(folder, signal, () => take(wanted, folder, fetch, signal));
}

/** When the last who asked for something in a folder is done: nothing is fetched twice at the same time. */
const turns = new Map<string, Promise<void>>();

async function inTurn<Result>(
  folder: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = turns.get(folder) ?? Promise.resolve();
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  // Who gives up waiting leaves its turn to those behind, not before it has come.
  const turn = before.then(() => done);
  turns.set(folder, turn);
  void turn.then(() => {
    if (turns.get(folder) === turn) turns.delete(folder);
  });
  try {
    await abortable(before, signal);
    return await work();
  } finally {
    finish();
  }
}

async function take(
  { spec, integrity, files }: PinnedPackage,
  folder: string,
  fetch: PackageFetch,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const paths = Object.fromEntries(files.map(({ name }) => [name, join(folder, name)]));
  const fail = (what: string, cause?: unknown) =>
    new CallreelError('TRANSCRIPTION_UNAVAILABLE', `the weights of ${spec}: ${what}`, { where: spec, cause });
  try {
    await mkdir(folder, { recursive: true });
    if (await areThere(files, folder)) return paths;
    const scratch = await mkdtemp(join(folder, scratchPrefix));
    try {
      const tarball = (await given(folder, integrity)) ?? (await fetch(spec, scratch, signal));
      if ((await digest(tarball, 'sha512')) !== integrity)
        throw fail('what was fetched is not what was published');
      await extract(tarball, files, scratch);
      if (!(await areThere(files, scratch))) throw fail('its files are not what was published');
      for (const { name } of files) await rename(join(scratch, name), join(folder, name));
      return paths;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof CallreelError ? error : fail((error as Error).message, error);
  }
}

/** What a crash left of fetching, in a folder in which nobody fetches yet. */
export async function removeUnfinishedWeights(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (name.startsWith(scratchPrefix)) await rm(join(folder, name), { recursive: true, force: true });
}

async function areThere(files: readonly PinnedFile[], folder: string): Promise<boolean> {
  for (const { name, bytes, sha256 } of files) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.size !== bytes) return false;
    const hash = await digest(join(folder, name), 'sha256');
    if (hash !== `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`) return false;
  }
  return true;
}

/** A tarball that somebody laid there, for a machine that reaches no registry. */
async function given(folder: string, integrity: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.tgz')) continue;
    const tarball = join(folder, name);
    if ((await digest(tarball, 'sha512')) === integrity) return tarball;
  }
  return undefined;
}

async function digest(file: string, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return `${algorithm}-${hash.digest('base64')}`;
}

async function extract(tarball: string, files: readonly PinnedFile[], folder: string): Promise<void> {
  const opened = await Promise.all(
    files.map(async (file) => ({ file, handle: await open(join(folder, file.name), 'w') })),
  );
  try {
    await readTarball(tarball, {
      open: ({ name, bytes }) => {
        const wanted = opened.find(({ file }) => file.member === name && file.bytes === bytes);
        if (!wanted) return undefined;
        return async (part) => void (await wanted.handle.appendFile(part));
      },
    });
    for (const { handle } of opened) await handle.sync();
  } finally {
    for (const { handle } of opened) await handle.close();
  }
}
