import { join } from 'node:path';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { listDirectory } from './files.ts';
import { type MasterKey, openRecordingKey, unwrapSegmentKey } from './keys.ts';
import { manifestSuffix } from './layout.ts';
import { readManifest } from './reader.ts';

interface Wrap {
  recordingKey: Secret<Buffer>;
  recordingId: string;
  wrappedKey: string;
}

/** The keys of a conversation's segments, by the manifests that there are. */
export class SegmentKeys {
  /** Some manifest could not be read, or was sealed with another master key: it may name more. */
  isIncomplete = false;
  readonly #wraps = new Map<string, Wrap>();
  readonly #keys = new Map<string, Buffer>();

  add(segmentId: string, wrap: Wrap): void {
    this.#wraps.set(segmentId, wrap);
  }

  /** @returns undefined where no manifest names it */
  of(segmentId: string): Buffer | undefined {
    const known = this.#keys.get(segmentId);
    if (known) return known;
    const wrap = this.#wraps.get(segmentId);
    if (!wrap) return undefined;
    try {
      const { recordingKey, recordingId, wrappedKey } = wrap;
      const key = unwrapSegmentKey(recordingKey, recordingId, segmentId, wrappedKey).reveal();
      this.#keys.set(segmentId, key);
      return key;
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      this.isIncomplete = true;
      return undefined;
    }
  }
}

/** @param directory the conversation's */
export function segmentKeysOf(directory: string, masterKey: MasterKey): SegmentKeys {
  const keys = new SegmentKeys();
  for (const name of listDirectory(directory)) {
    if (!name.endsWith(manifestSuffix)) continue;
    try {
      addManifest(keys, join(directory, name), masterKey);
    } catch (error) {
      if (!(error instanceof CallreelError)) throw error;
      keys.isIncomplete = true;
    }
  }
  return keys;
}

function addManifest(keys: SegmentKeys, path: string, masterKey: MasterKey): void {
  const records = readManifest(path);
  const header = records[0];
  // Its first line never became whole: it named nothing.
  if (header?.type !== 'header') return;
  const { recordingId, sealedKey } = header;
  const recordingKey = openRecordingKey(masterKey, recordingId, sealedKey);
  for (const record of records)
    if (record.type === 'segment' || record.type === 'clip')
      keys.add(record.segmentId, { recordingKey, recordingId, wrappedKey: record.wrappedKey });
}
