import { z } from 'zod';
import { type LegMedia, oneWay } from '../call/leg-media.ts';
import type { LegReport } from '../media/control.ts';
import { choice, endpoint, flag, integer, number, text } from './fields.ts';

const codec = {
  codec: text('Name of the codec: PCMU, PCMA, G722, OPUS.', 'PCMU'),
  payload_type: integer('RTP payload type.', 0),
  clock_rate_hz: integer('Ticks of the RTP clock a second, in Hz.', 8000),
};
const atMs = integer('When, in ms since the beginning.', 20);
const used = { ...codec, at_ms: atMs };

/** The media worker's figures of a leg or of one stay; times in ms since its beginning. */
const report = {
  duration_ms: integer('How long it lasted, in ms.', 61_240),
  received: z
    .object({
      packets: integer('Packets that were taken, key presses and comfort noise with them.', 3054),
      bytes: integer('Bytes of their payload.', 488_640),
      lost: integer('Packets that never came (RFC 3550 appendix A.3).', 2),
      duplicates: integer('Packets that came before already.', 0),
      reordered: integer('Packets behind one with a higher number.', 0),
      late: integer('Packets too late for who listened; recorded all the same.', 1),
      concealed_ms: integer('Audio made up for who listened, in ms.', 40),
      jitter_ms: z
        .object({
          latest: number('At the end, in ms.', 0.8),
          most: number('The most there was, in ms.', 4.2),
        })
        .meta({ description: 'Interarrival jitter (RFC 3550 appendix A.8).' }),
      ssrc_changes: integer('How often another stream began.', 0),
      refused: integer("Packets from sources that were not taken for the leg's own.", 0),
      srtp: z
        .object({
          authentication_failures: integer('Packets whose tag is wrong.', 0),
          replays: integer('Packets that came before, or are too old to tell.', 0),
          malformed: integer('Packets too short to be SRTP.', 0),
        })
        .nullable()
        .meta({ description: 'Dropped before anything else was done with them; null for plain RTP.' }),
      codecs: z
        .array(z.object(used))
        .meta({ description: 'In the order of their first packet, at most 16.' }),
    })
    .meta({ description: 'What came from the peer.' }),
  sent: z
    .object({
      packets: integer('Packets sent.', 3060),
      bytes: integer('Bytes of their payload.', 489_600),
      peer: z
        .object({
          lost: number('Packets that it misses.', 0),
          jitter_ms: number('The jitter it sees, in ms.', 1.1),
        })
        .nullable()
        .meta({ description: "By the peer's receiver reports; null without any." }),
    })
    .meta({ description: 'What went to the peer.' }),
  round_trip_ms: z
    .object({
      least: number('The shortest, in ms.', 18.4),
      latest: number('The latest, in ms.', 19.7),
    })
    .nullable()
    .meta({
      description: 'There and back by RTCP (RFC 3550 section 6.4.1); null where the peer sends none.',
    }),
};

const legReportBody = z.object(report);

/** Figures of one stay in a recording. */
export const stayMediaBody = z.object({
  ...report,
  received: report.received
    .extend({
      codecs: z
        .array(
          z.object({
            ...used,
            at_sample: integer(
              'The same in samples since the recording began, pauses counted; below 0 for what began before it.',
              160,
            ),
          }),
        )
        .meta({ description: 'In the order of their first packet, at most 16.' }),
    })
    .meta({ description: 'What came from the peer.' }),
});

export const legMediaBody = z.object({
  no_media: flag('Not one packet came; null while the leg goes on.', false).nullable(),
  one_way: choice(
    ['received', 'sent'],
    'The only way that packets went; null for both, for none, and while the leg goes on.',
  )
    .nullable()
    .meta({ examples: [null] }),
  srtp: text('Suite of what we send now; null for plain RTP.', 'AES_CM_128_HMAC_SHA1_80').nullable(),
  local: endpoint
    .nullable()
    .meta({ description: 'Where the peer was told to send to; null where nothing was agreed.' }),
  seen: z
    .object({ ...endpoint.shape, at_ms: integer('When, in ms since the beginning of the leg.', 35) })
    .nullable()
    .meta({ description: 'Where its first packet came from; null before it.' }),
  agreed: z
    .array(
      z.object({
        ...used,
        ptime_ms: number('Audio in each packet that we send, in ms.', 20),
        direction: text('Seen from here: sendrecv, sendonly, recvonly or inactive.', 'sendrecv'),
        srtp: text('Suite of what we send; null for plain RTP.', 'AES_CM_128_HMAC_SHA1_80').nullable(),
        remote: endpoint.nullable().meta({ description: 'Where to send to; null while unknown.' }),
      }),
    )
    .meta({ description: 'Everything that was agreed, the latest last.' }),
  report: legReportBody.nullable().meta({ description: 'Figures of the whole leg; null while it goes on.' }),
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
