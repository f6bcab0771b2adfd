import { decodeManifest } from './manifest.ts';
import { encodeManifestLine } from './manifest-line.ts';
import type { ManifestRecord, Party } from './records.ts';

/** From then on a manifest takes a tenth of what the first ones take. */
const rounds = 30;

const party: Party = {
  connectionId: 'c',
  from: '+15550100',
  to: '1000',
  direction: 'incoming',
  role: 'participant',
};
const atSample = 8000;
const segmentId = '0123456789abcdef';
const records: ManifestRecord[] = [
  {
    type: 'header',
    version: 1,
    ...{
      recordingId: 'r',
      conversationId: 'r',
      accountId: 'a',
      rateHz: 8000,
      originUnixMs: 0,
      startSample: 0,
    },
    sealedKey: '',
    meta: {},
  },
  { type: 'track', trackId: 't', startSample: 0, party },
  { type: 'segment', segmentId, trackId: 't', startSample: 0, wrappedKey: '' },
  { type: 'track-end', trackId: 't', endSample: atSample, packets: 50, overflowPackets: 0 },
  { type: 'end', atSample, endedUnixMs: 1000, reason: 'conversation_ended' },
];

/**
 * Reads a manifest of nobody again and again: code that runs for the first time takes many times as long, and many calls
 * may end, and be fetched, together.
 */
export function warmUpManifests(): void {
  const bytes = Buffer.from(records.map(encodeManifestLine).join(''));
  for (let round = 0; round < rounds; round++) decodeManifest(bytes, 'warm-up');
}
