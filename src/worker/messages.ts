import { z } from 'zod';
import { catalogue, type ErrorCode } from '../errors.ts';
import { maxNoticeSamples } from '../media/consent-control.ts';
import {
  type Command,
  type CommandReply,
  type LegReport,
  maxDigits,
  maxPromptSamples,
  type WorkerEvent,
  type WorkerStats,
} from '../media/control.ts';
import {
  maxEndSilenceMs,
  maxInitialTimeoutMs,
  maxUtteranceMs,
  minEndSilenceMs,
} from '../media/listen-control.ts';
import { maxRecordingMs, maxTimerMs, type RecorderOptions } from '../media/recorder-options.ts';
import { type DriverName, driverNames } from '../rtp/transport.ts';
import { endReasons, noticeOutcomes, pauseBehaviours } from '../spool/records.ts';

/**
 * What crosses the border between the server and a media worker, and inside the worker between its main thread and
 * its tick thread. Every message is checked where it comes in; a process that may have gone wrong is not believed.
 */

/** Server to worker. */
export interface CommandMessage {
  kind: 'command';
  /** Counts up; the reply names it. */
  id: number;
  command: Command;
}

export interface WireError {
  code: ErrorCode;
  message: string;
  where?: string;
}

/** Worker to server. */
export type WorkerMessage =
  /** With the transport's driver and, where it is not the best one, why. */
  | {
      kind: 'ready';
      driver: DriverName;
      driverNote?: string | undefined;
      steering?: string | undefined;
      pipeline: string;
    }
  | { kind: 'reply'; id: number; reply: CommandReply }
  | { kind: 'refusal'; id: number; error: WireError }
  | { kind: 'event'; event: WorkerEvent }
  /** Drained: the last message before the process ends. */
  | { kind: 'finished' };

const id = z.string().min(1).max(64);
const text = z.string().max(1024);
const port = z.int().min(1).max(65_535);
const payloadType = z.int().min(0).max(127);
const clockRateHz = z.int().min(8000).max(192_000);
const count = z.number().nonnegative();
const endReason = z.enum(endReasons);
const digit = z.string().regex(/^[0-9*#A-D]$/);
/** With what lies before and behind it, and the silence that ends it. */
const maxUtteranceSamples = (maxUtteranceMs + maxEndSilenceMs + 1000) * 16;
const timerMs = z.int().min(0).max(maxTimerMs);

const negotiatedCodec = z.object({
  payloadType,
  codec: z.enum(['PCMU', 'PCMA', 'G722', 'OPUS']),
  clockRateHz,
  opus: z
    .object({
      maxPlaybackRateHz: z.int().min(8000).max(48_000).optional(),
      maxAverageBitrate: z.int().min(6000).max(510_000).optional(),
      useInbandFec: z.boolean().optional(),
      useDtx: z.boolean().optional(),
    })
    .optional(),
});

const ipAddress = z.union([z.ipv4(), z.ipv6()]);
const srtpSuite = z.enum(['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AEAD_AES_128_GCM']);
const srtpKey = z.object({
  keySalt: z.base64().max(64),
  mki: z.object({ value: z.hex().max(256), bytes: z.int().min(1).max(128) }).optional(),
});

const party = z.object({
  connectionId: id,
  from: text,
  to: text,
  direction: z.enum(['incoming', 'outgoing']),
  role: z.enum(['participant', 'caller', 'agent']),
});

const recorderOptions = z.object({
  direction: z.enum(['both', 'speak', 'listen']).optional(),
  terminators: z.string().max(16).optional(),
  beep: z.boolean().optional(),
  warningToneIntervalMs: timerMs.min(1000).optional(),
  inputSensitivity: z.number().min(0).max(100).optional(),
  initialTimeoutMs: timerMs.optional(),
  endSilenceTimeoutMs: timerMs.optional(),
  maxLengthMs: z.int().min(1).max(maxRecordingMs).optional(),
  trim: z.boolean().optional(),
  consent: z.literal('required').optional(),
  notice: z.boolean().optional(),
  keepConsentClip: z.boolean().optional(),
}) satisfies z.ZodType<RecorderOptions>;

const maxMetaBytes = 64 * 1024;
const meta = z
  .record(z.string(), z.unknown())
  .refine((value) => JSON.stringify(value).length <= maxMetaBytes, 'the free data is too large');

const command = z.discriminatedUnion('verb', [
  z.object({
    verb: z.literal('leg.open'),
    legId: id,
    awaitsAnswer: z.boolean().optional(),
    joinsAtAnswer: z.boolean().optional(),
  }),
  z.object({
    verb: z.literal('leg.negotiate'),
    legId: id,
    remote: z.object({ address: ipAddress, port }).optional(),
    signallingAddress: ipAddress.optional(),
    receive: z.array(negotiatedCodec).min(1).max(32),
    send: negotiatedCodec,
    ptimeMs: z.literal([10, 20, 30, 40, 50, 60]),
    telephoneEvent: z
      .object({ payloadType, clockRateHz, sendPayloadType: payloadType.optional() })
      .optional(),
    otherTelephoneEvents: z.array(z.object({ payloadType, clockRateHz })).max(16).optional(),
    comfortNoise: z.array(z.object({ payloadType, clockRateHz })).max(8).optional(),
    srtp: z
      .object({
        send: z.object({ suite: srtpSuite, key: srtpKey }),
        receive: z.object({ suite: srtpSuite, keys: z.array(srtpKey).min(1).max(16) }),
      })
      .optional(),
    rtcp: z
      .object({ mux: z.boolean(), remote: z.object({ address: ipAddress, port }).optional() })
      .optional(),
    direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']),
    inactivityTimeoutMs: z.int().min(100).max(86_400_000).optional(),
  }),
  z.object({ verb: z.literal('leg.close'), legId: id }),
  z.object({
    verb: z.literal('room.join'),
    legId: id,
    roomId: id,
    trackId: id,
    policy: z.enum(['record', 'never', 'follow']),
    party,
    leaveKey: z.string().length(1).optional(),
    mode: z.enum(['mix', 'relay']).optional(),
    muted: z.boolean().optional(),
    deaf: z.boolean().optional(),
  }),
  z.object({ verb: z.literal('room.leave'), legId: id }),
  z.object({ verb: z.literal('room.mute'), legId: id, muted: z.boolean(), deaf: z.boolean() }),
  z.object({ verb: z.literal('room.close'), roomId: id }),
  z.object({
    verb: z.literal('play.start'),
    legId: id,
    playId: id,
    samples: z
      .instanceof(Int16Array)
      .refine(({ length }) => length <= maxPromptSamples, 'the prompt is too long'),
    rateHz: z.literal([8000, 16_000, 48_000]),
    loop: z.boolean().optional(),
    overRoom: z.enum(['mix', 'replace']).optional(),
  }),
  z.object({ verb: z.literal('play.stop'), legId: id, playId: id }),
  z.object({
    verb: z.literal('digits.send'),
    legId: id,
    digitsId: id,
    digits: z
      .string()
      .max(maxDigits)
      .regex(/^[0-9*#A-Dw]+$/),
    durationMs: z.int().min(40).max(8000),
    gapMs: z.int().min(20).max(10_000),
  }),
  z.object({
    verb: z.literal('recording.start'),
    recordingId: id,
    roomId: id,
    accountId: text,
    rateHz: z.literal([8000, 16_000, 48_000]),
    key: z.object({ plain: z.string().max(256), sealed: z.string().max(1024) }),
    meta,
    call: z.object({ legId: id, saidTrackId: id, heardTrackId: id, party }).optional(),
    options: recorderOptions.optional(),
  }),
  z.object({
    verb: z.literal('recording.stop'),
    recordingId: id,
    reason: z.enum(['stopped', 'consent_withdrawn', 'interrupted', 'error']),
  }),
  z.object({
    verb: z.literal('recording.pause'),
    recordingId: id,
    behaviour: z.enum(pauseBehaviours),
    scope: z.enum(['recording', 'call']),
  }),
  z.object({ verb: z.literal('recording.resume'), recordingId: id }),
  z.object({
    verb: z.literal('recording.consent'),
    recordingId: id,
    given: z.object({ consentId: id, method: text, who: text }).optional(),
    connectionId: id.optional(),
  }),
  z.object({
    verb: z.literal('recording.notice'),
    recordingId: id,
    audio: z.union([
      z.object({
        samples: z
          .instanceof(Int16Array)
          .refine(({ length }) => length <= maxNoticeSamples, 'the notice is too long'),
        rateHz: z.literal([8000, 16_000, 48_000]),
      }),
      z.object({ failure: id }),
    ]),
  }),
  z.object({ verb: z.literal('leg.key'), legId: id, digit }),
  z.object({
    verb: z.literal('listen.start'),
    legId: id,
    listenId: id,
    endSilenceMs: z.int().min(minEndSilenceMs).max(maxEndSilenceMs),
    maxSpeechMs: z.int().min(1).max(maxUtteranceMs),
    initialTimeoutMs: z.int().min(0).max(maxInitialTimeoutMs),
  }),
  z.object({ verb: z.enum(['listen.arm', 'listen.stop']), legId: id, listenId: id }),
  z.object({ verb: z.literal('spool.settle'), roomIds: z.array(id) }),
  z.object({ verb: z.literal('worker.drain') }),
  z.object({ verb: z.literal('worker.stats') }),
]);

const commandMessage = z.object({ kind: z.literal('command'), id: z.int().nonnegative(), command });

const stats = z.object({
  driver: z.enum(driverNames),
  driverNote: text.optional(),
  openPorts: count,
  legs: count,
  rooms: count,
  recordings: count,
  receivedPackets: count,
  sentPackets: count,
  failedSends: count,
  sendOverflows: count,
  waitingSends: count,
  droppedDatagrams: count,
  socketErrors: count,
  encodedSlots: count,
  lateTicks: count,
  maxLatenessUs: count,
  latenessCounts: z.array(count).max(64),
  latenessSumUs: count,
  ringOverflows: count,
  ringWaitingBytes: count,
  ringBytes: count,
  unsettledBytes: count,
  unsettledLimitBytes: count,
  cpuUs: count,
  residentBytes: count,
}) satisfies z.ZodType<WorkerStats>;

const legReport = z.object({
  durationMs: count,
  received: z.object({
    packets: count,
    bytes: count,
    lost: count,
    duplicates: count,
    reordered: count,
    late: count,
    concealedMs: count,
    jitterMs: z.object({ latest: count, most: count }),
    ssrcChanges: count,
    refused: count,
    srtp: z.object({ authenticationFailures: count, replays: count, malformed: count }).optional(),
    codecs: z
      .array(
        z.object({
          codec: z.enum(['PCMU', 'PCMA', 'G722', 'OPUS', 'CN', 'L16']),
          payloadType,
          clockRateHz,
          atMs: count,
        }),
      )
      .max(32),
  }),
  sent: z.object({
    packets: count,
    bytes: count,
    peer: z.object({ lost: count, jitterMs: count }).optional(),
  }),
  roundTripMs: z.object({ least: count, latest: count }).optional(),
}) satisfies z.ZodType<LegReport>;

const event = z.discriminatedUnion('event', [
  z.object({ event: z.literal('leg.digit'), legId: id, digit: z.string().max(4), durationMs: count }),
  z.object({ event: z.literal('leg.media'), legId: id, address: text, port }),
  z.object({ event: z.literal('leg.inactive'), legId: id, silentMs: count }),
  z.object({
    event: z.literal('leg.report'),
    legId: id,
    stay: z.object({ trackId: id, roomId: id }).optional(),
    report: legReport,
  }),
  z.object({
    event: z.literal('play.ended'),
    legId: id,
    playId: id,
    reason: z.enum(['finished', 'stopped', 'leg-closed']),
    playedMs: count,
  }),
  z.object({
    event: z.literal('digits.ended'),
    legId: id,
    digitsId: id,
    reason: z.enum(['finished', 'leg-closed', 'not-negotiated']),
    sent: z.string().max(maxDigits),
  }),
  z.object({ event: z.literal('listen.speech'), legId: id, listenId: id }),
  z.object({
    event: z.literal('listen.ended'),
    legId: id,
    listenId: id,
    reason: z.enum(['speech', 'no-input', 'stopped', 'leg-closed']),
    utterance: z
      .object({
        samples: z
          .instanceof(Int16Array)
          .refine(({ length }) => length <= maxUtteranceSamples, 'the utterance is too long'),
        rateHz: z.literal([8000, 16_000]),
      })
      .optional(),
  }),
  z.object({ event: z.literal('stay.left'), legId: id, trackId: id, roomId: id }),
  z.object({
    event: z.enum(['recording.started', 'recording.paused', 'recording.resumed']),
    recordingId: id,
    roomId: id,
    atSample: count,
  }),
  z.object({
    event: z.literal('recording.noticed'),
    recordingId: id,
    roomId: id,
    notice: z.object({
      connectionId: id,
      atSample: count,
      playedMs: count,
      lengthMs: count,
      outcome: z.enum(noticeOutcomes),
      reason: text.optional(),
    }),
  }),
  z.object({
    event: z.literal('recording.consented'),
    recordingId: id,
    roomId: id,
    consent: z.object({
      consentId: id,
      atSample: count,
      connectionIds: z.array(id),
      noticeMs: count.optional(),
      clips: z.array(z.object({ clipId: id, connectionId: id, startSample: count, endSample: count })),
    }),
  }),
  z.object({ event: z.literal('recording.ended'), recordingId: id, roomId: id, reason: endReason }),
  z.object({ event: z.literal('fault'), message: z.string() }),
]) satisfies z.ZodType<WorkerEvent>;

const errorCode = z.enum(Object.keys(catalogue) as [ErrorCode, ...ErrorCode[]]);
const messageId = z.int().nonnegative();

const workerMessage = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('ready'),
    driver: z.enum(driverNames),
    driverNote: text.optional(),
    steering: text.optional(),
    pipeline: z.string().max(8192),
  }),
  z.object({
    kind: z.literal('reply'),
    id: messageId,
    reply: z.object({ port: port.optional(), stats: stats.optional() }),
  }),
  z.object({
    kind: z.literal('refusal'),
    id: messageId,
    error: z.object({ code: errorCode, message: z.string(), where: z.string().optional() }),
  }),
  z.object({ kind: z.literal('event'), event }),
  z.object({ kind: z.literal('finished') }),
]) satisfies z.ZodType<WorkerMessage>;

/** What crosses the border are lists of them (`message-batch.ts`). */
export function messagesIn(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [raw];
}

/** @returns what is wrong, where the message is no valid one */
export function parseCommandMessage(message: unknown): CommandMessage | { problem: string; id?: number } {
  const parsed = commandMessage.safeParse(message);
  if (parsed.success) return parsed.data as CommandMessage;
  const { data: identified } = z.object({ id: messageId }).safeParse(message);
  return { problem: describe(parsed.error), ...identified };
}

export function parseWorkerMessage(message: unknown): WorkerMessage | { problem: string } {
  const parsed = workerMessage.safeParse(message);
  return parsed.success ? parsed.data : { problem: describe(parsed.error) };
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.map(String).join('.')}: ${issue.message}` : 'not a message';
}
