import type { CodecName } from '../codec/codec.ts';
import type { DriverName } from '../rtp/transport.ts';
import type { EndReason, Party, PauseBehaviour } from '../spool/records.ts';
import type { ConsentReport, NoticeReport, RecordingConsent, RecordingNotice } from './consent-control.ts';
import type { ListenCommand, ListenEvent } from './listen-control.ts';
import type { RecorderOptions } from './recorder-options.ts';

/**
 * What the server process says to a media worker and what the worker says back. Plain data: it crosses a process
 * border by structured clone. A command that fails is answered by its error; none is ever dropped silently.
 */

/** Whether a participant is recorded: an explicit `never` is in no track of any kind. */
export type RecordingPolicy = 'record' | 'never' | 'follow';

export interface NegotiatedCodec {
  payloadType: number;
  codec: CodecName;
  clockRateHz: number;
  /** Of an Opus stream of ours: what the peer asks for (RFC 7587 section 6.1). */
  opus?: OpusSending;
}

/** What is not there is left to the encoder. */
export interface OpusSending {
  maxPlaybackRateHz?: number;
  maxAverageBitrate?: number;
  useInbandFec?: boolean;
  useDtx?: boolean;
}

/** SRTP suites (RFC 4568 section 6.2, RFC 7714 section 14.2). */
export type SrtpSuite = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_128_GCM';

/** One master key of a stream; lives in memory only. */
export interface SrtpKey {
  /** Master key and master salt one after the other, base64. */
  keySalt: string;
  /** Master key identifier that stands behind each packet; `value` in hexadecimal, `bytes` long. */
  mki?: { value: string; bytes: number };
}

/** Keys agreed by SDES (RFC 4568). */
export interface NegotiatedSrtp {
  send: { suite: SrtpSuite; key: SrtpKey };
  /** Several keys only where each has its own identifier. */
  receive: { suite: SrtpSuite; keys: SrtpKey[] };
}

/** How RTCP travels; `remote` is undefined while unknown, and with `mux` it is that of RTP. */
export interface NegotiatedRtcp {
  mux: boolean;
  remote?: { address: string; port: number };
}

export interface LegOpen {
  verb: 'leg.open';
  legId: string;
  /**
   * We make the offer: what the peer sends before its answer is here, and before the leg's first stay, is kept for
   * that stay, if only for a moment.
   */
  awaitsAnswer?: boolean;
  /** Its first stay follows its answer at once: what it says meanwhile is kept however late we are with it. */
  joinsAtAnswer?: boolean;
}

/** RFC 4733. */
export interface NegotiatedTelephoneEvent {
  /** What the peer's events come with. */
  payloadType: number;
  clockRateHz: number;
  /** What the peer wants events with, where it is another number. */
  sendPayloadType?: number;
}

export interface LegNegotiate {
  verb: 'leg.negotiate';
  legId: string;
  /** Where to send until symmetric RTP learns better; undefined while unknown. */
  remote: { address: string; port: number } | undefined;
  /** IP address that the peer's SIP messages come from: a phone behind NAT sends its media from there too. */
  signallingAddress?: string;
  /** Every payload type the peer may send us. */
  receive: NegotiatedCodec[];
  send: NegotiatedCodec;
  ptimeMs: number;
  /** Sent and received; of the clock of `send` where the peer has it (RFC 4733 section 2.1). */
  telephoneEvent: NegotiatedTelephoneEvent | undefined;
  /** What else the peer's events may come with: beside audio of other clocks, or by the peer's own numbers. */
  otherTelephoneEvents?: { payloadType: number; clockRateHz: number }[];
  /** Comfort noise (RFC 3389), at most one payload type for each clock rate. Without it: none is sent or taken. */
  comfortNoise?: { payloadType: number; clockRateHz: number }[];
  /** Without it: plain RTP. */
  srtp?: NegotiatedSrtp;
  /** Without it: no RTCP. */
  rtcp?: NegotiatedRtcp;
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** A leg that sent media and then none for so long is reported as `leg.inactive`; undefined: never. */
  inactivityTimeoutMs?: number;
}

export interface LegClose {
  verb: 'leg.close';
  legId: string;
}

/** How a room's audio gets from one leg to the others. */
export type RoomMode = 'mix' | 'relay';

/** A leg's stay in a room begins. One stay is one track (and one channel). */
export interface RoomJoin {
  verb: 'room.join';
  legId: string;
  /** The conversation's id: a room lives as long as its conversation. */
  roomId: string;
  trackId: string;
  policy: RecordingPolicy;
  party: Party;
  /** DTMF digit that leaves the room without ending the call. */
  leaveKey: string | undefined;
  /**
   * `mix`: everybody hears the sum of the others. `relay`: as long as the room holds exactly two legs, both joined so,
   * their packets go from one to the other as they are where the codecs allow it, without a jitter buffer between;
   * otherwise it is mixed.
   */
  mode?: RoomMode;
  /** From the first packet on, as by `room.mute`. */
  muted?: boolean;
  deaf?: boolean;
}

export interface RoomLeave {
  verb: 'room.leave';
  legId: string;
}

/** What a stay lets through from now to its end. A leg that is in no room is no error: it may just have left. */
export interface RoomMute {
  verb: 'room.mute';
  legId: string;
  /** What the party says and presses is neither heard in the room nor recorded with it. */
  muted: boolean;
  /** The party hears nothing of the room, but what is played to it. */
  deaf: boolean;
}

/** Ends every stay and every recording of the room. */
export interface RoomClose {
  verb: 'room.close';
  roomId: string;
}

/** The longest prompt, and the most that one leg may have waiting: 30 minutes at 8000 Hz. */
export const maxPromptSamples = 30 * 60 * 8000;
/** How many prompts one leg may have waiting, the one that plays included. */
export const maxQueuedPrompts = 256;

/**
 * Plays audio to one leg, and to nobody else; behind what was started before, without a gap. In a room or out of it:
 * a prompt goes on through joins and leaves. Answered at once; `play.ended` follows in any case.
 */
export interface PlayStart {
  verb: 'play.start';
  legId: string;
  /** Unique on the leg while it waits or plays. */
  playId: string;
  /** Mono, 16 bit, copied on its way; 8000 Hz is what costs least. */
  samples: Int16Array;
  rateHz: 8000 | 16_000 | 48_000;
  /** Over and over, until it is stopped. */
  loop?: boolean;
  /** What the leg hears of its room meanwhile: everything, below the prompt, or nothing. Without it: `mix`. */
  overRoom?: 'mix' | 'replace';
}

/** A prompt that has ended already, or never was, is no error: it may just have come to its end. */
export interface PlayStop {
  verb: 'play.stop';
  legId: string;
  playId: string;
}

/** Longest key sequence of one command. */
export const maxDigits = 64;

/**
 * Presses keys towards the leg (RFC 4733), one sequence after the other. While a key is down nothing else is sent, and
 * a prompt waits; a leg on hold gets its keys afterwards. Answered at once; `digits.ended` follows in any case.
 */
export interface DigitsSend {
  verb: 'digits.send';
  legId: string;
  digitsId: string;
  /** `0`-`9`, `*`, `#`, `A`-`D`; `w` waits for half a second. */
  digits: string;
  durationMs: number;
  gapMs: number;
}

/** Begins to record a room, or one call. */
export interface RecordingStart {
  verb: 'recording.start';
  recordingId: string;
  /** The conversation; of a call that is recorded by itself the id of that call's own room. */
  roomId: string;
  /** Records this leg, wherever it is. Its room and tracks are those of its first recording as long as it lasts. */
  call?: CallCapture;
  /** Without it: everything, until it is stopped. */
  options?: RecorderOptions;
  accountId: string;
  /** Sampling rate of everything rendered from this recording. */
  rateHz: number;
  /** Sealed recording key, see `spool/keys`. Made by the server, so that the worker never holds the master key. */
  key: RecordingKeyMaterial;
  /** Free data kept in the manifest's header for whoever reads a bare spool. */
  meta: Record<string, unknown>;
}

export interface CallCapture {
  legId: string;
  saidTrackId: string;
  heardTrackId: string;
  party: Party;
}

export interface RecordingKeyMaterial {
  /** 32 bytes, base64; lives in memory only. */
  plain: string;
  /** The same key sealed by the master key, base64; this is what the manifest keeps. */
  sealed: string;
}

export interface RecordingStop {
  verb: 'recording.stop';
  recordingId: string;
  reason: 'stopped' | 'consent_withdrawn' | 'interrupted' | 'error';
}

export interface RecordingPause {
  verb: 'recording.pause';
  recordingId: string;
  behaviour: PauseBehaviour;
  /** `call`: nothing of the call, nor of who is in one room with it, is recorded until `recording.resume`. */
  scope: 'recording' | 'call';
}

export interface RecordingResume {
  verb: 'recording.resume';
  recordingId: string;
}

/** A key that the party pressed and that came by another way than its media (SIP INFO). */
export interface LegKey {
  verb: 'leg.key';
  legId: string;
  digit: string;
}

/** Writes everything spooled so far into the segment files, so that a reader sees it (live playback). */
export interface SpoolSettle {
  verb: 'spool.settle';
  roomIds: string[];
}

/** No new work; the worker exits once its last room is closed and everything is on disk. */
export interface WorkerDrain {
  verb: 'worker.drain';
}

export interface WorkerStatsQuery {
  verb: 'worker.stats';
}

export type Command =
  | LegOpen
  | LegNegotiate
  | LegClose
  | RoomJoin
  | RoomLeave
  | RoomMute
  | RoomClose
  | PlayStart
  | PlayStop
  | DigitsSend
  | RecordingStart
  | RecordingStop
  | RecordingPause
  | RecordingResume
  | RecordingConsent
  | RecordingNotice
  | LegKey
  | ListenCommand
  | SpoolSettle
  | WorkerDrain
  | WorkerStatsQuery;

export type PlayEnd = 'finished' | 'stopped' | 'leg-closed';
/** `not-negotiated`: a later agreement took the telephone events away. */
export type DigitsEnd = 'finished' | 'leg-closed' | 'not-negotiated';

export type WorkerEvent =
  | { event: 'leg.digit'; legId: string; digit: string; durationMs: number }
  /** First packet of the leg, with where it came from. */
  | { event: 'leg.media'; legId: string; address: string; port: number }
  /** The leg sent media or RTCP before, and neither for as long as was agreed; once for every silence. */
  | { event: 'leg.inactive'; legId: string; silentMs: number }
  /** At the end of each stay, of that stay; at the leg's close, of its whole life. */
  | { event: 'leg.report'; legId: string; stay?: { trackId: string; roomId: string }; report: LegReport }
  /**
   * `playedMs` is what the leg was sent of it, to within a packet that was cut short. Nothing is sent while the peer
   * holds the call, but time passes.
   */
  | { event: 'play.ended'; legId: string; playId: string; reason: PlayEnd; playedMs: number }
  /** `sent`: the keys, without the pauses. */
  | { event: 'digits.ended'; legId: string; digitsId: string; reason: DigitsEnd; sent: string }
  /** The stay ended by the leave key; the leg itself goes on. */
  | { event: 'stay.left'; legId: string; trackId: string; roomId: string }
  /** Decided at a sample of the recording; the manifest's lines are on their way to the disk. */
  | { event: RecordingProgress; recordingId: string; roomId: string; atSample: number }
  /** What a party heard of the notice. */
  | { event: 'recording.noticed'; recordingId: string; roomId: string; notice: NoticeReport }
  /** Consent took effect; comes before the recording begins with it. */
  | { event: 'recording.consented'; recordingId: string; roomId: string; consent: ConsentReport }
  /** Everything is settled and synced: the manifest on disk is final and says the rest. */
  | { event: 'recording.ended'; recordingId: string; roomId: string; reason: EndReason }
  | ListenEvent
  | { event: 'fault'; message: string };

/** It records from here on, it is paused, it goes on. */
export type RecordingProgress = 'recording.started' | 'recording.paused' | 'recording.resumed';

/** What became of a leg's media. */
export interface LegReport {
  durationMs: number;
  received: ReceivedMediaReport;
  sent: SentMediaReport;
  /** Smallest and newest round trip by RTCP (RFC 3550 section 6.4.1); undefined where the peer sends none. */
  roundTripMs?: { least: number; latest: number };
}

export interface ReceivedMediaReport {
  /** Taken; with key presses and comfort noise. */
  packets: number;
  bytes: number;
  /** Numbers that never came (RFC 3550 appendix A.3), 0 where more came than were expected. */
  lost: number;
  duplicates: number;
  /** After a packet with a higher number. */
  reordered: number;
  /** Too late for live playout; recorded all the same. */
  late: number;
  /** Samples of lost packets that were made up for who listens, in ms. */
  concealedMs: number;
  /** Interarrival jitter (RFC 3550 appendix A.8). */
  jitterMs: { latest: number; most: number };
  ssrcChanges: number;
  /** From sources that were not taken for the leg's own. */
  refused: number;
  /** SRTP and SRTCP packets that were dropped, where SRTP was agreed. */
  srtp?: SrtpRefusals;
  /** In the order of their first packet, at most 16; `atMs` since the beginning of what is reported. */
  codecs: { codec: CodecName; payloadType: number; clockRateHz: number; atMs: number }[];
}

export interface SrtpRefusals {
  /** Not sealed by the peer's key, or changed on the way. */
  authenticationFailures: number;
  /** Came a second time, or too late to tell. */
  replays: number;
  /** Too short, or no RTP at all. */
  malformed: number;
}

export interface SentMediaReport {
  packets: number;
  bytes: number;
  /** By the peer's own receiver reports. */
  peer?: { lost: number; jitterMs: number };
}

/** What a successful command answers; `{}` where nothing is worth saying. */
export interface CommandReply {
  /** leg.open: the RTP port on the worker's media address. */
  port?: number;
  /** worker.stats */
  stats?: WorkerStats;
}

/** What the process of a worker takes. */
export interface ProcessUsage {
  /** Of all its threads since it began, the kernel's time for them too. */
  cpuUs: number;
  residentBytes: number;
}

export interface WorkerStats extends ProcessUsage {
  /** What takes and sends its media, and why that is not the best there is, where it was not asked for. */
  driver: DriverName;
  driverNote?: string | undefined;
  openPorts: number;
  legs: number;
  rooms: number;
  recordings: number;
  receivedPackets: number;
  sentPackets: number;
  failedSends: number;
  /** Of these, for which there was no room: a socket's buffer, or the queue before it, was full. */
  sendOverflows: number;
  /** In that queue. */
  waitingSends: number;
  /** That came and were given up: longer than one may be, or more than their port may hold. */
  droppedDatagrams: number;
  /** Of sockets, apart from sends. */
  socketErrors: number;
  /** Slots of 20 ms that were encoded by codecs with a memory; one for all who hear the same. */
  encodedSlots: number;
  lateTicks: number;
  maxLatenessUs: number;
  /** Ticks by how late they began, in the buckets of `rtp/tick-histogram`, and the sum of that. */
  latenessCounts: readonly number[];
  latenessSumUs: number;
  /** Entries lost because the writer thread could not keep up; each loss is also a mark in the manifests. */
  ringOverflows: number;
  /** Of the ring to that thread: how much lies in it, and how much may. */
  ringWaitingBytes: number;
  ringBytes: number;
  /** What the writer thread has in its journal and not in the recordings' files, and with how much of it it stops. */
  unsettledBytes: number;
  unsettledLimitBytes: number;
}
