import { wavHeaderBytes } from '../container/wav.ts';
import { CallreelError } from '../errors.ts';
import { PauseMap, type Span } from '../render/pause-map.ts';
import { recordingView } from '../render/recording-view.ts';
import { partiesOf } from '../render/sides.ts';
import type { TrackMark } from '../render/track-marks.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool } from '../spool/reader.ts';
import type { RecordedChannel } from '../transcription/transcribe-recording.ts';
import type { TranscriptMark } from '../transcription/transcript.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import type { RenditionRequest } from '../worker/render-protocol.ts';

export interface RecordedPartiesOptions {
  spoolDir: string;
  masterKey: MasterKey;
  renders: Pick<RenderPool, 'open' | 'marks'>;
}

/** What is heard of a recording, on the axis of its file: what a pause left out is not in it. */
export interface RecordedParties {
  rateHz: number;
  /** In the order in which they came. */
  channels: RecordedChannel[];
  marks: TranscriptMark[];
}

/** @throws CallreelError NOT_FOUND, SPOOL_CORRUPT, SPOOL_KEY_MISSING */
export async function recordedParties(
  { conversationId, recordingId }: { conversationId: string; recordingId: string },
  { spoolDir, masterKey, renders }: RecordedPartiesOptions,
): Promise<RecordedParties> {
  const directory = conversationDirectoryOf(spoolDir, conversationId);
  const view = recordingView(openSpool(directory, recordingId, masterKey));
  const { rateHz, startSample, endSample = startSample, pauses } = view;
  const map = new PauseMap({ fromSample: startSample, toSample: endSample }, pauses);
  const parties = partiesOf(view);
  const channelOf = new Map(
    parties.flatMap((tracks, channel) => tracks.map(({ trackId }) => [trackId, channel] as const)),
  );
  const placed = (mark: TrackMark): TranscriptMark[] => {
    const channel = channelOf.get(mark.trackId);
    if (channel === undefined) return [];
    const span = spanOf(mark, map);
    return [
      mark.kind === 'dtmf'
        ? { kind: mark.kind, channel, digit: mark.digit, ...span }
        : { kind: mark.kind, channel, ...span },
    ];
  };
  return {
    rateHz,
    channels: parties.map(([first]) => {
      const { trackId } = first!;
      const request = { conversationId, recordingId, kind: 'party', trackId, format: 'wav' } as const;
      return { id: trackId, startSample: 0, audio: { rateHz, chunks: partyChunks(renders, request) } };
    }),
    marks: [
      ...pauses.map(({ fromSample, toSample = endSample }) => ({
        kind: 'pause' as const,
        ...spanOf({ fromSample, toSample }, map),
      })),
      ...(await renders.marks(conversationId, recordingId)).flatMap(placed),
    ],
  };
}

function spanOf({ fromSample, toSample }: Span, map: PauseMap): Span {
  return { fromSample: map.fileSampleOf(fromSample), toSample: map.fileSampleOf(toSample) };
}

async function* partyChunks(
  renders: RecordedPartiesOptions['renders'],
  request: RenditionRequest,
): AsyncGenerator<Int16Array> {
  const open = await renders.open(request);
  try {
    const { complete, byteLength } = open.head;
    if (!complete)
      throw new CallreelError('CONFLICT', 'the recording has not ended', { where: request.recordingId });
    // Behind the header the chunks are of whole samples.
    for await (const { buffer, byteOffset, byteLength: bytes } of open.read(wavHeaderBytes, byteLength - 1))
      yield new Int16Array(buffer, byteOffset, bytes / 2);
  } finally {
    open.release();
  }
}
