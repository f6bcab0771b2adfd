import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MasterKey } from '../spool/keys.ts';
import { assertFileId, manifestSuffix } from '../spool/layout.ts';
import { openSpool, type SpoolRecording } from '../spool/reader.ts';

/** Whose files are fetched one after the other. */
const keptRecordings = 4;

interface Opened {
  recordingId: string;
  recording: SpoolRecording;
  manifest: BigIntStats;
}

/**
 * Ended recordings whose manifests were read lately: of a conference of many each file would read all of it again, and
 * open the key of every party's stream.
 */
export class OpenedSpools {
  readonly #masterKey: MasterKey;
  /** The newest last. */
  readonly #opened = new Map<string, Opened>();

  constructor(masterKey: MasterKey) {
    this.#masterKey = masterKey;
  }

  /** As `openSpool`; not to be changed. */
  open(directory: string, recordingId: string): SpoolRecording {
    assertFileId(recordingId, 'recordingId');
    const path = join(directory, `${recordingId}${manifestSuffix}`);
    const manifest = statSync(path, { bigint: true, throwIfNoEntry: false });
    const known = this.#opened.get(path);
    this.#opened.delete(path);
    if (known && manifest && isSame(known.manifest, manifest)) {
      this.#opened.set(path, known);
      return known.recording;
    }
    const recording = openSpool(directory, recordingId, this.#masterKey);
    if (!manifest || !recording.end) return recording;
    this.#opened.set(path, { recordingId, recording, manifest });
    for (const [oldest] of this.#opened) {
      if (this.#opened.size <= keptRecordings) break;
      this.#opened.delete(oldest);
    }
    return recording;
  }

  /** It is erased: its keys are not kept. */
  drop(recordingId: string): void {
    for (const [path, opened] of this.#opened)
      if (opened.recordingId === recordingId) this.#opened.delete(path);
  }
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs;
}
