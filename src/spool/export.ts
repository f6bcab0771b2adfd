import type { MasterKey } from './keys.ts';
import { openManifest, readTrack, type SpoolRecording, type SpoolTrack } from './reader.ts';
import type { SpoolRecord } from './records.ts';

export interface ExportedSpool {
  recording: SpoolRecording;
  /** Each call reads the track from its beginning. */
  records(track: SpoolTrack): Generator<SpoolRecord>;
}

/**
 * Everything there is to know of a recording from the path of its bare manifest: no database, no configuration.
 * @throws CallreelError NOT_FOUND, SPOOL_CORRUPT, SPOOL_KEY_MISSING
 */
export function exportSpool(manifestPath: string, masterKey: MasterKey): ExportedSpool {
  return { recording: openManifest(manifestPath, masterKey), records: readTrack };
}
