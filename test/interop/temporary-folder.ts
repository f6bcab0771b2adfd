import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  path: string;
  /** The path of a file in it. */
  file(name: string): string;
  remove(): Promise<void>;
}

export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `callreel-${name}-`));
  return {
    path,
    file: (fileName) => join(path, fileName),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
