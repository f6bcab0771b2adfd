import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { MediaPacket, ScheduledPacket } from './media-packet.ts';
import { seededRandom } from './random.ts';

/**
 * What a bad network and a bad sender do to a stream. Every figure draws from its own random numbers, so that a
 * changed loss rate leaves the reordering as it was; the same seed gives the same schedule.
 */
export interface Impairment {
  seed?: number;
  /** Share of packets that are never sent, 0 to 1. */
  lossRate?: number;
  /** Runs of packets that are never sent, by index. */
  lossSpans?: readonly { firstPacket: number; packets: number }[];
  /** Share of packets that are overtaken by later ones, 0 to 1. */
  reorderRate?: number;
  /** How many later packets overtake a reordered one. */
  reorderByPackets?: number;
  /** Share of packets sent twice, 0 to 1. */
  duplicateRate?: number;
  /** How much faster the sender's clock runs than ours, in parts per million. */
  driftPpm?: number;
  /** Each packet is late by 0 to this much; it never overtakes another (a queue delays, it does not reorder). */
  jitterMs?: number;
  /** Added to every sequence number, wrapping. */
  sequenceNumberOffset?: number;
  /** Added to every timestamp, wrapping. */
  rtpTimeOffset?: number;
  /** From this packet on the stream has another SSRC and numbering (RFC 3550, section 8.2). */
  ssrcChange?: { atPacket: number; ssrc: number; sequenceNumber?: number; rtpTime?: number };
}

export interface ImpairedSchedule {
  /** In the order of sending. */
  send: ScheduledPacket[];
  /** Never sent, in the order of the stream. */
  lost: MediaPacket[];
  /** Length of the schedule: when a packet after the last one would be due. */
  durationUs: number;
}

const defaultReorderByPackets = 1;

/** Applies number offsets and the SSRC change; the input stays as it is. */
export function renumber(packets: readonly MediaPacket[], impairment: Impairment): MediaPacket[] {
  const { sequenceNumberOffset = 0, rtpTimeOffset = 0, ssrcChange } = impairment;
  const changed = ssrcChange && packets[ssrcChange.atPacket];
  return packets.map((packet, index) => {
    let sequenceShift = sequenceNumberOffset;
    let rtpTimeShift = rtpTimeOffset;
    let ssrc = packet.ssrc;
    if (ssrcChange && changed && index >= ssrcChange.atPacket) {
      ssrc = ssrcChange.ssrc;
      if (ssrcChange.sequenceNumber !== undefined)
        sequenceShift = ssrcChange.sequenceNumber - changed.sequenceNumber;
      if (ssrcChange.rtpTime !== undefined) rtpTimeShift = ssrcChange.rtpTime - changed.rtpTime;
    }
    return {
      ...packet,
      ssrc,
      sequenceNumber: toSequenceNumber(packet.sequenceNumber + sequenceShift),
      rtpTime: toRtpTimestamp(packet.rtpTime + rtpTimeShift),
    };
  });
}

/** Gives each packet its time and takes away, doubles and moves packets. @param packets as sent by a good sender */
export function impair(
  packets: readonly MediaPacket[],
  clockRateHz: number,
  impairment: Impairment = {},
): ImpairedSchedule {
  const nominalUs = sendTimes(packets, clockRateHz, impairment.driftPpm ?? 0);
  const durationUs = nominalUs[packets.length]!;
  const offsetsUs = jittered(nominalUs, impairment);
  const isLost = lossDecision(impairment);
  const overtakenBy = reorderDecision(impairment);
  const isDoubled = decision(impairment, 'duplicate', impairment.duplicateRate);

  const lost: MediaPacket[] = [];
  const entries: { order: number; scheduled: ScheduledPacket }[] = [];
  packets.forEach((packet, index) => {
    const later = overtakenBy(index, packets.length);
    const doubled = isDoubled();
    if (isLost(index)) {
      lost.push(packet);
      return;
    }
    // Half a position behind the packet that overtakes it.
    const order = later === index ? index : later + 0.5;
    const scheduled = { packet, sendOffsetUs: offsetsUs[later]! };
    entries.push({ order, scheduled });
    if (doubled) entries.push({ order, scheduled: { ...scheduled } });
  });
  // Stable: a duplicate stays right behind its original.
  entries.sort((a, b) => a.order - b.order);
  return { send: entries.map((entry) => entry.scheduled), lost, durationUs };
}

/** Due time of each packet and, last, of the packet after them. */
function sendTimes(packets: readonly MediaPacket[], clockRateHz: number, driftPpm: number): Float64Array {
  const actualRateHz = clockRateHz * (1 + driftPpm / 1e6);
  const timesUs = new Float64Array(packets.length + 1);
  let samples = 0;
  packets.forEach((packet, index) => {
    timesUs[index] = (samples / actualRateHz) * 1e6;
    samples += packet.durationSamples;
  });
  timesUs[packets.length] = (samples / actualRateHz) * 1e6;
  return timesUs;
}

function jittered(nominalUs: Float64Array, impairment: Impairment): Float64Array {
  const jitterUs = (impairment.jitterMs ?? 0) * 1000;
  if (jitterUs === 0) return nominalUs;
  const random = randomFor(impairment, 'jitter');
  let previousUs = 0;
  return nominalUs.map((dueUs) => (previousUs = Math.max(previousUs, dueUs + random() * jitterUs)));
}

function lossDecision(impairment: Impairment): (index: number) => boolean {
  const spans = impairment.lossSpans ?? [];
  const byChance = decision(impairment, 'loss', impairment.lossRate);
  return (index) => {
    const chance = byChance();
    return (
      chance || spans.some((span) => index >= span.firstPacket && index < span.firstPacket + span.packets)
    );
  };
}

/** Index of the packet behind which this one is sent; its own where it keeps its place. */
function reorderDecision(impairment: Impairment): (index: number, packets: number) => number {
  const byChance = decision(impairment, 'reorder', impairment.reorderRate);
  const by = impairment.reorderByPackets ?? defaultReorderByPackets;
  return (index, packets) => (byChance() && index + by < packets ? index + by : index);
}

function decision(impairment: Impairment, figure: string, rate = 0): () => boolean {
  const random = randomFor(impairment, figure);
  return () => random() < rate;
}

function randomFor(impairment: Impairment, figure: string): () => number {
  let seed = impairment.seed ?? 1;
  for (const letter of figure) seed = Math.imul(seed ^ letter.charCodeAt(0), 0x01000193);
  return seededRandom(seed);
}
