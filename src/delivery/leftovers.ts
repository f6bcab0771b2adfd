import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Db, Delivery } from '../database/schema.ts';
import { parseKeptUpload } from './kept-upload.ts';

/** `partial-file.ts` makes them. */
const partialPattern = /^\.callreel-([0-9a-f]{24})\.partial$/;

/**
 * Removes unfinished files that no row knows of: a crash lies between such a file and its record. Looks where the
 * interrupted deliveries write to.
 */
export async function removeLeftovers(
  { db, node, storeDirectory }: { db: Db; node: string; storeDirectory?: string | undefined },
  interrupted: readonly Delivery[],
): Promise<void> {
  const directories = new Set(
    interrupted.filter(({ place }) => place === 'file://').map(({ key }) => dirname(key)),
  );
  if (storeDirectory !== undefined) directories.add(storeDirectory);
  if (directories.size === 0) return;
  const known = await keptUploadIds(db, node);
  for (const directory of directories) {
    for (const name of await readdir(directory).catch(() => [])) {
      const id = partialPattern.exec(name)?.[1];
      if (id !== undefined && !known.has(id)) await rm(join(directory, name), { force: true });
    }
  }
}

async function keptUploadIds(db: Db, node: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('deliveries')
    .select('upload')
    .where('node', '=', node)
    .where('upload', 'is not', null)
    .execute();
  return new Set(rows.map(({ upload }) => parseKeptUpload(upload)?.uploadId ?? ''));
}
