import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface PayloadHit {
  path: string;
  /** Byte position of the first occurrence in that file. */
  offset: number;
}

export interface PayloadSearch {
  /** One for each file the pattern is in. */
  hits: PayloadHit[];
  /** What was looked at: a search of nothing finds nothing. */
  filesSearched: number;
  bytesSearched: number;
}

const windowBytes = 1 << 20;

/**
 * Looks for bytes in every regular file below `directory`, hidden ones too, without following links. Files may grow
 * or vanish meanwhile (a running server's data directory); what is gone is left out.
 */
export async function searchPayload(directory: string, pattern: Uint8Array): Promise<PayloadSearch> {
  if (pattern.length === 0) throw new RangeError('an empty pattern is everywhere: give at least one byte');
  const search: PayloadSearch = { hits: [], filesSearched: 0, bytesSearched: 0 };
  const window = Buffer.alloc(windowBytes + pattern.length - 1);
  for await (const path of filesBelow(directory)) await searchFile(path, pattern, window, search);
  return search;
}

/** 16-bit samples as they lie in a WAV file. */
export function pcmBytes(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => {
    view.setInt16(index * 2, sample, true);
  });
  return bytes;
}

async function* filesBelow(directory: string): AsyncGenerator<string> {
  const entries = await ifPresent(readdir(directory, { withFileTypes: true }));
  for (const entry of (entries ?? []).sort(byName)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

async function searchFile(
  path: string,
  pattern: Uint8Array,
  window: Buffer,
  search: PayloadSearch,
): Promise<void> {
  const file = await ifPresent(open(path, 'r'));
  if (!file) return;
  try {
    search.filesSearched++;
    // The end of one window is searched again with the next, so that no hit lies between two.
    let kept = 0;
    let windowOffset = 0;
    for (;;) {
      const { bytesRead } = await file.read(window, kept, window.length - kept, windowOffset + kept);
      if (bytesRead === 0) return;
      search.bytesSearched += bytesRead;
      const filled = kept + bytesRead;
      const at = window.subarray(0, filled).indexOf(pattern);
      if (at >= 0) {
        search.hits.push({ path, offset: windowOffset + at });
        return;
      }
      const keep = Math.min(pattern.length - 1, filled);
      window.copyWithin(0, filled - keep, filled);
      windowOffset += filled - keep;
      kept = keep;
    }
  } finally {
    await file.close();
  }
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}

async function ifPresent<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
