import { z } from 'zod';
import { type LegMedia, oneWay } from '../call/leg-media.ts';
import type { LegReport } from '../media/control.ts';

const codec = { codec: z.string(), payload_type: z.int(), clock_rate_hz: z.int() };
const address = z.object({ address: z.string(), port: z.int() });

/** The media worker's figures of a leg or of one stay; times in ms since its beginning. */
const report = {
  duration_ms: z.int(),
  received: z.object({
    packets: z.int(),
    bytes: z.int(),
    lost: z.int(),
    duplicates: z.int(),
    reordered: z.int(),
    /** Too late for live playout; recorded all the same. */
    late: z.int(),
    concealed_ms: z.int(),
    /** RFC 3550 appendix A.8. */
    jitter_ms: z.object({ latest: z.number(), most: z.number() }),
    ssrc_changes: z.int(),
    /** From sources that were not taken for the leg's own. */
    refused: z.int(),
    /** Dropped before anything else was done with them; null for plain RTP. */
    srtp: z.object({ authentication_failures: z.int(), replays: z.int(), malformed: z.int() }).nullable(),
    codecs: z.array(z.object({ ...codec, at_ms: z.int() })),
  }),
  sent: z.object({
    packets: z.int(),
    bytes: z.int(),
    /** By the peer's receiver reports. */
    peer: z.object({ lost: z.number(), jitter_ms: z.number() }).nullable(),
  }),
  round_trip_ms: z.object({ least: z.number(), latest: z.number() }).nullable(),
};

const legReportBody = z.object(report);

/** Figures of one stay in a recording. */
export const stayMediaBody = z.object({
  ...report,
  received: report.received.extend({
    codecs: z.array(
      z.object({
        ...codec,
        at_ms: z.int(),
        /** Since the recording began, pauses counted; below 0 for what began before it. */
        at_sample: z.int(),
      }),
    ),
  }),
});

export const legMediaBody = z.object({
  /** Not one packet came; null while the leg goes on. */
  no_media: z.boolean().nullable(),
  /** The only way that packets went; null for both, for none, and while the leg goes on. */
  one_way: z.enum(['received', 'sent']).nullable(),
  /** Suite of what we send now; null for plain RTP. */
  srtp: z.string().nullable(),
  /** Where the peer was told to send to. */
  local: address.nullable(),
  /** Where its first packet came from. */
  seen: z.object({ ...address.shape, at_ms: z.int() }).nullable(),
  agreed: z.array(
    z.object({
      ...codec,
      at_ms: z.int(),
      ptime_ms: z.number(),
      direction: z.string(),
      srtp: z.string().nullable(),
      remote: address.nullable(),
    }),
  ),
  /** Null while the leg goes on. */
  report: legReportBody.nullable(),
});

function toReport({ durationMs, received, sent, roundTripMs }: LegReport): z.output<typeof legReportBody> {
  const { packets, bytes, lost, duplicates, reordered, late, refused, srtp } = received;
  return {
    duration_ms: durationMs,
    received: {
      packets,
      bytes,
      lost,
      duplicates,
      reordered,
      late,
      refused,
      srtp: srtp
        ? {
            authentication_failures: srtp.authenticationFailures,
            replays: srtp.replays,
            malformed: srtp.malformed,
          }
        : null,
      concealed_ms: received.concealedMs,
      jitter_ms: received.jitterMs,
      ssrc_changes: received.ssrcChanges,
      codecs: received.codecs.map((use) => ({
        codec: use.codec,
        payload_type: use.payloadType,
        clock_rate_hz: use.clockRateHz,
        at_ms: use.atMs,
      })),
    },
    sent: {
      packets: sent.packets,
      bytes: sent.bytes,
      peer: sent.peer ? { lost: sent.peer.lost, jitter_ms: sent.peer.jitterMs } : null,
    },
    round_trip_ms: roundTripMs ?? null,
  };
}

/** @param toSample where a moment of the stay, in ms since its beginning, lies in the recording */
export function toStayMedia(
  stay: LegReport,
  toSample: (atMs: number) => number,
): z.output<typeof stayMediaBody> {
  const { received, ...rest } = toReport(stay);
  const codecs = received.codecs.map((use) => ({ ...use, at_sample: toSample(use.at_ms) }));
  return { ...rest, received: { ...received, codecs } };
}

export function toLegMedia(media: LegMedia): z.output<typeof legMediaBody> {
  const { local, seen, agreed, report: figures } = media;
  return {
    no_media: figures ? figures.received.packets === 0 : null,
    one_way: oneWay(media),
    srtp: agreed.at(-1)?.srtp ?? null,
    local: local ?? null,
    seen: seen ? { address: seen.address, port: seen.port, at_ms: seen.atMs } : null,
    agreed: agreed.map((each) => ({
      codec: each.codec,
      payload_type: each.payloadType,
      clock_rate_hz: each.clockRateHz,
      at_ms: each.atMs,
      ptime_ms: each.ptimeMs,
      direction: each.direction,
      srtp: each.srtp,
      remote: each.remote,
    })),
    report: figures ? toReport(figures) : null,
  };
}
