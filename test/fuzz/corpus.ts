import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const corpusFolder = new URL('./corpus/', import.meta.url);
const dataFolder = new URL('../data/', import.meta.url);

/** Inputs of a target: those that pass every place known (`<hash>.bin`), and one by name for each fault found. */
export function readCorpus(target: string): Uint8Array[] {
  const folder = new URL(`${target}/`, corpusFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => Uint8Array.from(readFileSync(new URL(name, folder))));
}

/** All files of a folder of `test/data`. */
export function readData(folder: string, ending: string): Uint8Array[] {
  const url = new URL(`${folder}/`, dataFolder);
  return readdirSync(url)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => Uint8Array.from(readFileSync(new URL(name, url))));
}

const hashName = /^[0-9a-f]{12}\.bin$/;

/** Replaces what was distilled before; inputs with names of their own stay. */
export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  const folder = new URL(`${target}/`, corpusFolder);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (hashName.test(name)) rmSync(new URL(name, folder));
  for (const input of inputs) writeFileSync(new URL(`${hashOf(input)}.bin`, folder), input);
}

/** @returns the file's path */
export function writeFinding(folder: string, target: string, input: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${target}-${hashOf(input)}.bin`;
  writeFileSync(path, input);
  return path;
}

function hashOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 12);
}
