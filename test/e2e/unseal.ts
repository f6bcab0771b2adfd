import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSpool } from '../../src/spool/export.ts';
import { loadMasterKey } from '../../src/spool/keys.ts';
import {
  conversationDirectoryOf,
  isConversationName,
  manifestSuffix,
  segmentSuffix,
  spoolDirectoryOf,
} from '../../src/spool/layout.ts';
import type { SpoolRecord } from '../../src/spool/records.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import type { ConversationBody } from './bodies.ts';

export interface Unsealed {
  recordings: number;
  segments: number;
  /** Segment files that no key opens: no recording names them. */
  unopened: string[];
}

/**
 * Opens every segment of a data directory with every key there is and writes what is in them, payload after payload,
 * below `target`: one file for each track.
 */
export function unsealSpool(dataDir: string, target: string): Unsealed {
  const spoolDir = spoolDirectoryOf(dataDir);
  const masterKey = loadMasterKey(dataDir);
  const unsealed: Unsealed = { recordings: 0, segments: 0, unopened: [] };
  for (const conversationId of readdirSync(spoolDir).filter(isConversationName)) {
    const directory = join(spoolDir, conversationId);
    const names = readdirSync(directory);
    const opened = new Set<string>();
    for (const name of names.filter((each) => each.endsWith(manifestSuffix))) {
      const { recording, records } = exportSpool(join(directory, name), masterKey);
      mkdirSync(join(target, conversationId), { recursive: true });
      for (const track of [...recording.tracks, ...recording.clips]) {
        const payloads = [...records(track)].flatMap(payloadOf);
        writeFileSync(join(target, conversationId, `${name}-${track.trackId}`), Buffer.concat(payloads));
        for (const { segmentId } of track.segments) opened.add(`${segmentId}${segmentSuffix}`);
      }
      unsealed.recordings++;
    }
    unsealed.segments += opened.size;
    const segments = names.filter((each) => each.endsWith(segmentSuffix));
    unsealed.unopened.push(...segments.filter((each) => !opened.has(each)));
  }
  return unsealed;
}

/** Writes every WAV file of a conversation below `target`. @returns how many */
export async function downloadEverything(
  { mixed_audio, channels }: ConversationBody,
  target: string,
): Promise<number> {
  const files = [mixed_audio, ...channels.map(({ audio }) => audio)].filter((audio) => audio !== null);
  for (const [index, { wav_file }] of files.entries())
    writeFileSync(join(target, `${index}.wav`), (await fetchAudio(wav_file)).bytes);
  return files.length;
}

/** Keys as they lie in a recording's spool, opened, side after side. */
export function digitsIn(dataDir: string, conversationId: string, recordingId: string): string {
  const directory = conversationDirectoryOf(spoolDirectoryOf(dataDir), conversationId);
  const manifest = join(directory, `${recordingId}${manifestSuffix}`);
  const { recording, records } = exportSpool(manifest, loadMasterKey(dataDir));
  return recording.tracks
    .flatMap((track) => [...records(track)])
    .flatMap((record) => (record.kind === 'digit' ? record.digit : []))
    .join('');
}

function payloadOf(record: SpoolRecord): Uint8Array[] {
  return record.kind === 'packet' ? [record.payload] : [];
}
