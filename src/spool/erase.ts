import {
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { isMissing, listDirectory, syncPath } from './files.ts';
import {
  conversationDirectoryOf,
  erasedSuffix,
  manifestFile,
  manifestSuffix,
  segmentSuffix,
} from './layout.ts';
import { readManifest } from './reader.ts';
import { voidJournalEntries } from './replay.ts';

export interface EraseReport {
  /** Files removed, relative to the spool directory; the manifest first. */
  removed: string[];
}

/**
 * Removes an ended recording: its manifest with the wraps in it, and the segments that no other recording of the
 * conversation holds a wrap of. Nothing of it is left in the journals, so nothing can bring it back. Idempotent, may
 * be killed and begun again at any point; one caller at a time for a conversation.
 * @throws CallreelError CONFLICT while the recording runs
 */
export function eraseRecording(
  spoolDirectory: string,
  conversationId: string,
  recordingId: string,
): EraseReport {
  const directory = conversationDirectoryOf(spoolDirectory, conversationId);
  const manifest = manifestFile(conversationId, recordingId);
  const path = join(spoolDirectory, manifest);
  const removed: string[] = [];
  if (hasEnded(path)) {
    voidJournalEntries(spoolDirectory, new Set([manifest]));
    renameSync(path, `${path}${erasedSuffix}`);
    syncPath(directory);
    removed.push(manifest);
  }
  removed.push(...sweepConversation(spoolDirectory, conversationId));
  return { removed };
}

/** @returns false when there is no manifest (any more) */
function hasEnded(path: string): boolean {
  try {
    if (readManifest(path).some((record) => record.type === 'end')) return true;
  } catch (error) {
    if (error instanceof CallreelError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
  throw new CallreelError('CONFLICT', 'the recording still runs: stop it first', { where: path });
}

/**
 * Removes segments that no manifest of the conversation names, what killed erasures left, and the directory when it
 * is empty.
 * @returns the files removed, relative to the spool directory
 */
export function sweepConversation(spoolDirectory: string, conversationId: string): string[] {
  const directory = conversationDirectoryOf(spoolDirectory, conversationId);
  // Segments are listed before the manifests are read: the writer settles them in the other order, so what is listed
  // here and named nowhere is an orphan, even while the conversation goes on.
  const names = listDirectory(directory);
  const segments = names.filter((name) => name.endsWith(segmentSuffix));
  for (const name of names) if (name.endsWith(erasedSuffix)) destroy(join(directory, name));
  const named = namedSegments(directory);
  if (!named) return [];
  const orphans = segments.filter((name) => !named.has(name)).map((name) => `${conversationId}/${name}`);
  if (orphans.length > 0) voidJournalEntries(spoolDirectory, new Set(orphans));
  for (const orphan of orphans) unlinkSync(join(spoolDirectory, orphan));
  if (orphans.length > 0) syncPath(directory);
  removeIfEmpty(directory);
  return orphans;
}

/** @returns undefined when a manifest is damaged: nobody knows then what it names */
function namedSegments(directory: string): Set<string> | undefined {
  const named = new Set<string>();
  try {
    for (const name of listDirectory(directory)) {
      if (!name.endsWith(manifestSuffix)) continue;
      for (const record of readManifest(join(directory, name)))
        if (record.type === 'segment' || record.type === 'clip')
          named.add(`${record.segmentId}${segmentSuffix}`);
    }
  } catch (error) {
    if (error instanceof CallreelError) return undefined;
    throw error;
  }
  return named;
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (isMissing(error) || ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return;
    throw error;
  }
}

/** What is unlinked may stay on the medium for long; the wraps should not. */
function destroy(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    const zeroes = Buffer.alloc(64 * 1024);
    const { size } = statSync(path);
    for (let at = 0; at < size; at += zeroes.length)
      writeSync(fd, zeroes, 0, Math.min(zeroes.length, size - at), at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  unlinkSync(path);
}
