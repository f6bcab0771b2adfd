import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { isMissing } from './files.ts';
import type { PlacedEntry } from './journal.ts';
import { type GroupPart, groupKey, openGroup } from './journal-group.ts';
import type { MasterKey } from './keys.ts';
import { isSpoolFile, segmentFile } from './layout.ts';
import { chunkData, chunkEnd, sealChunk, segmentHeader } from './segment.ts';
import { findSegmentEnd, type SegmentEnd } from './segment-end.ts';
import { type SegmentKeys, segmentKeysOf } from './segment-keys.ts';
import { maxRunBytes } from './segment-sealer.ts';

export interface MendReport {
  /** Parts of entries, one for each segment in each. */
  applied: number;
  skipped: number;
  /** Records of manifests that can not be opened: with another key, or mended by hand, they could. */
  isUnreadable: boolean;
}

/** Seals into the segment files what groups of a dead worker's journal hold and the files do not. */
export class SegmentMender {
  /** To be synced. */
  readonly touched = new Set<string>();
  readonly #spoolDirectory: string;
  readonly #masterKey: MasterKey;
  readonly #keys = new Map<string, SegmentKeys>();

  constructor(spoolDirectory: string, masterKey: MasterKey) {
    this.#spoolDirectory = spoolDirectory;
    this.#masterKey = masterKey;
  }

  /** @param groups of one journal, in its order */
  apply(groups: readonly PlacedEntry[]): MendReport {
    const report: MendReport = { applied: 0, skipped: 0, isUnreadable: false };
    const segments = new Map<string, { keys: SegmentKeys; parts: GroupPart[] }>();
    for (const entry of groups) {
      const opened = this.#open(entry, report);
      if (!opened) {
        report.skipped++;
        continue;
      }
      const { conversationId, keys, parts } = opened;
      for (const part of parts) {
        const path = segmentFile(conversationId, part.segmentId);
        const known = segments.get(path);
        if (known) known.parts.push(part);
        else segments.set(path, { keys, parts: [part] });
      }
    }
    for (const [path, { keys, parts }] of segments) {
      const key = keys.of(parts[0]!.segmentId);
      const applied = key ? this.#mend(path, key, parts) : 0;
      report.applied += applied;
      report.skipped += parts.length - applied;
    }
    return report;
  }

  #open(
    { path, offset, body }: PlacedEntry,
    report: MendReport,
  ): { conversationId: string; keys: SegmentKeys; parts: GroupPart[] } | undefined {
    if (!isSpoolFile(path)) return undefined;
    const [conversationId, leader] = /^(.+)\/([0-9a-f]{16})\.seg$/.exec(path)?.slice(1) ?? [];
    if (conversationId === undefined || leader === undefined) return undefined;
    let keys = this.#keys.get(conversationId);
    if (!keys)
      this.#keys.set(
        conversationId,
        (keys = segmentKeysOf(join(this.#spoolDirectory, conversationId), this.#masterKey)),
      );
    const key = keys.of(leader);
    if (!key) {
      report.isUnreadable ||= keys.isIncomplete;
      return undefined;
    }
    const parts = openGroup(groupKey(key), offset, body);
    return parts && { conversationId, keys, parts };
  }

  /** @returns how many of the parts are in the file now */
  #mend(relativePath: string, key: Buffer, parts: readonly GroupPart[]): number {
    const path = join(this.#spoolDirectory, relativePath);
    const first = parts[0]!;
    const fd = openSegment(path, first.position === 0);
    if (fd === undefined) return 0;
    try {
      const found = findSegmentEnd(fd, path, first.segmentId, key, first.position);
      // Damaged where it was on the disk for certain: what follows belongs behind it.
      if (found.recordBytes < first.position) return 0;
      const { bytes, applied } = sealMissing(first.segmentId, key, found, parts);
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, found.fileBytes + done);
      const end = found.fileBytes + bytes.length;
      if (bytes.length > 0 && fstatSync(fd).size > end) ftruncateSync(fd, end);
      this.touched.add(path).add(dirname(path)).add(this.#spoolDirectory);
      return applied;
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      return 0;
    } finally {
      closeSync(fd);
    }
  }
}

/** @returns undefined when it was erased */
function openSegment(path: string, mayCreate: boolean): number | undefined {
  if (mayCreate) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function sealMissing(
  segmentId: string,
  key: Buffer,
  end: SegmentEnd,
  parts: readonly GroupPart[],
): { bytes: Buffer; applied: number } {
  const header = segmentHeader(segmentId);
  const made: Buffer[] = end.fileBytes === 0 ? [header] : [];
  let { nextChunk, recordBytes, isComplete } = end;
  let run: Buffer[] = [];
  let runBytes = 0;
  let applied = 0;
  const seal = (): void => {
    if (runBytes > 0) made.push(sealChunk(key, header, nextChunk++, chunkData, Buffer.concat(run), true));
    run = [];
    runBytes = 0;
  };
  for (const { position, records, closed } of parts) {
    if (position > recordBytes) break;
    applied++;
    if (isComplete) continue;
    const missing = records.subarray(Math.min(records.length, recordBytes - position));
    if (runBytes + missing.length > maxRunBytes) seal();
    run.push(missing);
    runBytes += missing.length;
    recordBytes += missing.length;
    if (!closed) continue;
    seal();
    made.push(sealChunk(key, header, nextChunk++, chunkEnd, Buffer.alloc(0), true));
    isComplete = true;
  }
  seal();
  return { bytes: Buffer.concat(made), applied };
}
