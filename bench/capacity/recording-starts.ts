import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { conversationDirectoryOf, manifestSuffix, spoolDirectoryOf } from '../../src/spool/layout.ts';
import { readManifest } from '../../src/spool/reader.ts';

/** Where a recording and its channels begin, in samples on the clock of the conversation: the API has them in ms. */
export interface RecordingStarts {
  recording: number;
  channels: { channelId: string; connectionId: string; startSample: number }[];
}

/** @throws Error where the conversation has another number of recordings than one */
export function startsIn(dataDir: string, conversationId: string): RecordingStarts {
  const directory = conversationDirectoryOf(spoolDirectoryOf(dataDir), conversationId);
  const manifests = readdirSync(directory).filter((name) => name.endsWith(manifestSuffix));
  if (manifests.length !== 1) throw new Error(`${conversationId} has ${manifests.length} recordings`);
  const starts: RecordingStarts = { recording: 0, channels: [] };
  for (const record of readManifest(join(directory, manifests[0]!))) {
    if (record.type === 'header') starts.recording = record.startSample;
    if (record.type === 'begin') starts.recording = record.atSample;
    if (record.type === 'track') {
      const { trackId: channelId, party, startSample } = record;
      starts.channels.push({ channelId, connectionId: party.connectionId, startSample });
    }
  }
  return starts;
}
