import { join } from 'node:path';
import { CallreelError } from '../errors.ts';

/** Where everything of the spool lies. `docs/spool.md` draws the tree. */

export const manifestSuffix = '.rec';
export const segmentSuffix = '.seg';
/** A manifest on its way out: no recording any more. */
export const erasedSuffix = '.erased';
export const journalSuffix = '.jnl';

const journalFolder = 'journal';
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Identifiers become file names, so they are checked here once and for all.
 * @throws CallreelError REQUEST_INVALID
 */
export function assertFileId(id: string, where: string): void {
  if (!idPattern.test(id) || id === journalFolder)
    throw new CallreelError('REQUEST_INVALID', 'an identifier is 1 to 64 letters, digits, - or _', { where });
}

export function spoolDirectoryOf(dataDirectory: string): string {
  return join(dataDirectory, 'spool');
}

export function journalDirectoryOf(spoolDirectory: string): string {
  return join(spoolDirectory, journalFolder);
}

export function journalFileName(workerId: string, number: number): string {
  return `${workerId}-${number}${journalSuffix}`;
}

/** @returns undefined when `name` is no journal's file name */
export function parseJournalFileName(name: string): { workerId: string; number: number } | undefined {
  const match = /^([A-Za-z0-9_-]{1,64})-(\d{1,15})\.jnl$/.exec(name);
  return match ? { workerId: match[1]!, number: Number(match[2]) } : undefined;
}

export function conversationDirectoryOf(spoolDirectory: string, conversationId: string): string {
  assertFileId(conversationId, 'conversationId');
  return join(spoolDirectory, conversationId);
}

/** Relative to the spool directory, as the journal names it. */
export function manifestFile(conversationId: string, recordingId: string): string {
  assertFileId(conversationId, 'conversationId');
  assertFileId(recordingId, 'recordingId');
  return `${conversationId}/${recordingId}${manifestSuffix}`;
}

/** Relative to the spool directory, as the journal names it. */
export function segmentFile(conversationId: string, segmentId: string): string {
  assertFileId(conversationId, 'conversationId');
  assertFileId(segmentId, 'segmentId');
  return `${conversationId}/${segmentId}${segmentSuffix}`;
}

const spoolFilePattern = /^([A-Za-z0-9_-]{1,64})\/[A-Za-z0-9_-]{1,64}\.(?:rec|seg)$/;

/** Whether a journal entry names a file a writer can have made: nothing else is ever touched by a replay. */
export function isSpoolFile(relativePath: string): boolean {
  return spoolFilePattern.exec(relativePath)?.[1] !== undefined && !relativePath.startsWith('journal/');
}

/** Whether a name in the spool directory is a conversation's. */
export function isConversationName(name: string): boolean {
  return idPattern.test(name) && name !== journalFolder;
}
