import { type PcapDatagram, type PcapEndpoint, pcapHeader, pcapRecord } from '../container/pcap.ts';
import { CallreelError } from '../errors.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import type { MasterKey } from '../spool/keys.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { openSpool, readTrack, type SpoolRecording, type SpoolTrack } from '../spool/reader.ts';
import type { FormatRecord, PacketRecord } from '../spool/records.ts';
import { mergeByTime, type TimedSource } from './merge-by-time.ts';

/** What a capture file of a call is made of. Plain data. */
export interface CapturePlan {
  /** SIP, as it may be seen, in the order of time. */
  messages: { atUnixUs: number; source: PcapEndpoint; target: PcapEndpoint; text: string }[];
  legs: CapturedLeg[];
  /** In which the legs may be found; what was erased meanwhile is left out. */
  recordings: { conversationId: string; recordingId: string }[];
}

/** Where a leg's packets came from, and where to. */
export interface CapturedLeg {
  connectionId: string;
  source: PcapEndpoint;
  target: PcapEndpoint;
}

export interface CaptureSpool {
  spoolDirectory: string;
  masterKey: MasterKey;
}

const chunkBytes = 64 * 1024;

/**
 * The bytes of a capture file: the messages, and every packet that a recording holds of the legs, as RTP again. What
 * was never recorded is not in the spool and so not here: opted-out parties, pauses, what we sent ourselves, key
 * presses. Padding, extensions and markers were not kept. SRTP comes opened, and its descriptions are written as those
 * of RTP.
 *
 *     messages --------------------------------------+
 *     segments -> records -> RTP with its addresses -+-> by time -> IP and UDP headers -> chunks
 *
 * @param damaged told of a track that could be read in part only
 */
export function* captureCall(
  plan: CapturePlan,
  spool: CaptureSpool,
  damaged: (trackId: string, error: CallreelError) => void,
): Generator<Uint8Array> {
  const sources: TimedSource<PcapDatagram>[] = plan.messages.map((message) => messageSource(message));
  sources.push(...segmentSources(plan, spool, damaged));
  let chunk: Uint8Array[] = [pcapHeader()];
  let bytes = 0;
  for (const datagram of mergeByTime(sources)) {
    const record = pcapRecord(datagram);
    chunk.push(record);
    bytes += record.length;
    if (bytes < chunkBytes) continue;
    yield Buffer.concat(chunk);
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield Buffer.concat(chunk);
}

function messageSource({ text, ...way }: CapturePlan['messages'][number]): TimedSource<PcapDatagram> {
  return {
    fromUnixUs: way.atUnixUs,
    open: () => [{ ...way, payload: Buffer.from(asCaptured(text)) }].values(),
  };
}

/**
 * Secrets that were taken out and what was cut off would make the message look broken, and RTP beside a description of
 * SRTP would be taken for sealed.
 */
function asCaptured(text: string): string {
  const gap = /\r?\n\r?\n/.exec(text);
  if (gap === null) return text;
  const body = text
    .slice(gap.index + gap[0].length)
    .replace(/^(m=\S+ \S+ RTP\/)S(AVPF?)\b/gm, '$1$2')
    .replace(/^a=crypto:/gm, 'a=x-crypto:');
  const length = Buffer.byteLength(body);
  const head = text.slice(0, gap.index).replace(/^(content-length|l)([ \t]*:[ \t]*)\d+/im, `$1$2${length}`);
  return `${head}\r\n\r\n${body}`;
}

/** A segment that several recordings share is read once. */
function segmentSources(
  { legs, recordings }: CapturePlan,
  spool: CaptureSpool,
  damaged: (trackId: string, error: CallreelError) => void,
): TimedSource<PcapDatagram>[] {
  const legById = new Map(legs.map((leg) => [leg.connectionId, leg]));
  const found = new Map<string, TimedSource<PcapDatagram>>();
  for (const { conversationId, recordingId } of recordings) {
    const recording = openIfThere(spool, conversationId, recordingId);
    if (!recording) continue;
    const { originUnixMs, rateHz } = recording.header;
    const originUnixUs = originUnixMs * 1000;
    for (const track of recording.tracks) {
      const leg = legById.get(track.party.connectionId);
      if (!leg) continue;
      for (const segment of track.segments)
        found.set(segment.segmentId, {
          fromUnixUs: originUnixUs + (segment.startSample * 1e6) / rateHz,
          open: () => rtpDatagrams({ ...track, segments: [segment] }, leg, originUnixUs, damaged),
        });
    }
  }
  return [...found.values()];
}

function openIfThere(
  { spoolDirectory, masterKey }: CaptureSpool,
  conversationId: string,
  recordingId: string,
): SpoolRecording | undefined {
  try {
    return openSpool(conversationDirectoryOf(spoolDirectory, conversationId), recordingId, masterKey);
  } catch (error) {
    if (error instanceof CallreelError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function* rtpDatagrams(
  track: SpoolTrack,
  { source, target }: CapturedLeg,
  originUnixUs: number,
  damaged: (trackId: string, error: CallreelError) => void,
): Generator<PcapDatagram> {
  let format: FormatRecord | undefined;
  try {
    for (const record of readTrack(track)) {
      if (record.kind === 'format') format = record;
      else if (record.kind === 'packet' && format)
        yield {
          atUnixUs: originUnixUs + record.arrivalUs,
          source,
          target,
          payload: rtpPacket(record, format),
        };
    }
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    damaged(track.trackId, error);
  }
}

function rtpPacket(
  { sequenceNumber, rtpTime, payload }: PacketRecord,
  { payloadType, ssrc }: FormatRecord,
): Uint8Array {
  const packet = new Uint8Array(rtpHeaderBytes + payload.length);
  writeRtpHeader(packet, { marker: false, payloadType, sequenceNumber, timestamp: rtpTime, ssrc });
  packet.set(payload, rtpHeaderBytes);
  return packet;
}
