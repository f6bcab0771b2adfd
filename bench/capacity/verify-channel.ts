import { packetSamples, type StreamAudio } from './stream-audio.ts';

/** A recorded channel, held to the stream that was sent. */
export interface ChannelFindings {
  /** Number of the first recorded packet in its stream, modulo the length of the audio. */
  firstPacket: number;
  /** Before it. */
  leadingSamples: number;
  /** From the first to the last that is there. */
  packets: number;
  /** Samples between them that are not bit for bit what was sent; of whole packets. */
  gapSamples: number;
  /** Packets that were sent before the first one that is there, where it is known which were; else 0. */
  missingAtBegin: number;
  /** Packets that were sent behind the last one that is there; below 0: so many more are there than were sent. */
  missingAtEnd: number;
}

/** Packets of a stream, by their numbers. */
export interface SentPackets {
  /** The first that is to be there; undefined: any, and what is missing at the end is known modulo the audio's length. */
  from?: number | undefined;
  /** Behind the last. */
  to: number;
}

/** Long enough to be in one place of the audio only. */
const probeSamples = 320;

/** @throws Error where nothing of the stream is found */
export function verifyChannel(
  channel: Int16Array,
  audio: StreamAudio,
  stream: number,
  { from, to }: SentPackets,
): ChannelFindings {
  const first = channel.findIndex((sample) => sample !== 0);
  if (first < 0) throw new Error(`stream ${stream}: the channel is silent`);
  const phase = findPlace(channel, first, audio) - audio.placeOf(stream, 0);
  const inPacket = modulo(phase, packetSamples);
  // A first packet that is not whole is left out here, and counted below.
  const isCut = first < inPacket;
  const begin = first - inPacket + (isCut ? packetSamples : 0);
  const firstPacket = modulo((phase - inPacket) / packetSamples + (isCut ? 1 : 0), audio.packets);
  const last = channel.findLastIndex((sample) => sample !== 0);
  const packets = Math.ceil((last + 1 - begin) / packetSamples);
  let gapSamples = isCut ? packetSamples : 0;
  for (let packet = 0; packet < packets; packet++) {
    const place = audio.placeOf(stream, firstPacket + packet);
    const at = begin + packet * packetSamples;
    if (!isSame(channel, at, audio.samples, place)) gapSamples += packetSamples;
  }
  const missingAtBegin = from === undefined ? 0 : modulo(firstPacket - from, audio.packets);
  const missingAtEnd =
    from === undefined
      ? modulo(to - firstPacket - packets, audio.packets)
      : to - from - packets - missingAtBegin;
  return { firstPacket, leadingSamples: begin, packets, gapSamples, missingAtBegin, missingAtEnd };
}

/** @returns the place in the audio of the channel's sample `at` */
function findPlace(channel: Int16Array, at: number, audio: StreamAudio): number {
  // Should the very beginning be damaged, what follows tells as well.
  for (let from = at; from + probeSamples <= channel.length; from += packetSamples) {
    const place = audio.find(channel.slice(from, from + probeSamples));
    if (place >= 0) return modulo(place - (from - at), audio.samples.length);
  }
  throw new Error('nothing of the stream is in the channel');
}

/** Behind the end of the channel is silence; behind the end of the audio its beginning. */
function isSame(channel: Int16Array, at: number, expected: Int16Array, from: number): boolean {
  const { length } = expected;
  for (let i = 0; i < packetSamples; i++)
    if ((channel[at + i] ?? 0) !== expected[from + i < length ? from + i : from + i - length]) return false;
  return true;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
