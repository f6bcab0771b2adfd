import type { CodecName } from '../codec/codec.ts';

/**
 * What the spool keeps, as data. `docs/spool.md` explains the layout on disk.
 * Positions are samples at the recording's rate and times are microseconds, both on the room's clock: zero is the
 * moment the room was opened.
 */

/** A stream inside a segment is a sequence of these, in the order of arrival. */
export type SpoolRecord =
  | FormatRecord
  | PacketRecord
  | DigitRecord
  | OverflowRecord
  | SenderReportRecord
  | HoldRecord;

/**
 * Stands before the first packet and wherever codec, clock rate or SSRC change; also around comfort noise, which has
 * the clock rate of the audio it stands between.
 */
export interface FormatRecord {
  kind: 'format';
  codec: CodecName;
  clockRateHz: number;
  payloadType: number;
  ssrc: number;
}

/** One RTP packet as received; 16-bit sequence number and 32-bit timestamp as on the wire. */
export interface PacketRecord {
  kind: 'packet';
  sequenceNumber: number;
  rtpTime: number;
  arrivalUs: number;
  payload: Uint8Array;
}

export interface DigitRecord {
  kind: 'digit';
  digit: string;
  rtpTime: number;
  arrivalUs: number;
}

/** Packets the tick thread had to drop because the ring to the writer was full. */
export interface OverflowRecord {
  kind: 'overflow';
  packets: number;
  arrivalUs: number;
}

/** A sender report of the stream (RFC 3550 section 6.4.1): where its RTP time stands on its own wall clock. */
export interface SenderReportRecord {
  kind: 'sender-report';
  ssrc: number;
  /** NTP timestamp: seconds since 1900 and the fraction in 2^-32 s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTime: number;
  packetCount: number;
  octetCount: number;
  arrivalUs: number;
}

/** The party put the call on hold, or was put on hold; or that is over. Stands again where a segment begins with it. */
export interface HoldRecord {
  kind: 'hold';
  held: boolean;
  arrivalUs: number;
}

/** Who is on a leg. */
export interface Party {
  connectionId: string;
  /** E.164 number or SIP URI. */
  from: string;
  to: string;
  direction: 'incoming' | 'outgoing';
  role: 'participant' | 'caller' | 'agent';
}

/**
 * Why a recording ended. `no_media`: it was stopped, or what it is of ended, and no packet was ever spooled. `no_consent`: whatever
 * ended it, the consent that it waited for was never given.
 */
export const endReasons = [
  'stopped',
  'conversation_ended',
  'call_ended',
  'terminator',
  'max_length',
  'end_silence',
  'no_input',
  'consent_withdrawn',
  'no_consent',
  'no_media',
  'interrupted',
  'error',
] as const;
export type EndReason = (typeof endReasons)[number];

/** One line each in a recording's manifest, `<recordingId>.rec`. */
export type ManifestRecord =
  | ManifestHeader
  | ManifestBegin
  | ManifestNotice
  | ManifestConsent
  | ManifestClip
  | ManifestTrack
  | ManifestSegment
  | ManifestTrackEnd
  | ManifestPause
  | ManifestResume
  | ManifestAlive
  | ManifestEnd;

export interface ManifestHeader {
  type: 'header';
  version: 1;
  recordingId: string;
  /** The room's id. */
  conversationId: string;
  accountId: string;
  rateHz: number;
  /** Unix milliseconds at position 0 of the room's clock. */
  originUnixMs: number;
  /** Position at which this recording was started. */
  startSample: number;
  /** Recording key sealed by the master key, base64. */
  sealedKey: string;
  /** What comes before its beginning: nothing is recorded without a `begin`. Without it: it began at once. */
  waitsFor?: 'beep' | 'consent';
  /** The one half of a call that it is about. Without it: both, or a room. */
  direction?: 'speak' | 'listen';
  meta: Record<string, unknown>;
}

/** Where it began, if that was later than the start: a beep came before, or consent was waited for. */
export interface ManifestBegin {
  type: 'begin';
  atSample: number;
}

/**
 * How the notice to a party ended: it heard all of it, pressed a key, left or hung up, the recording ended first, or
 * there was nothing to play.
 */
export const noticeOutcomes = ['played', 'partial', 'key', 'left', 'stopped', 'failed'] as const;
export type NoticeOutcome = (typeof noticeOutcomes)[number];

/** What one party heard of the recording's notice. */
export interface ManifestNotice {
  type: 'notice';
  connectionId: string;
  /** Where it began to be heard, or was over before. */
  atSample: number;
  /** What the party was really sent of it. */
  playedMs: number;
  lengthMs: number;
  outcome: NoticeOutcome;
  /** Code of the error, where it failed. */
  reason?: string;
}

/** Consent of parties: where it is required they are recorded from here on. */
export interface ManifestConsent {
  type: 'consent';
  atSample: number;
  connectionIds: string[];
  method: string;
  who: string;
}

/** What a party said before it consented by voice: a segment of its own, in no other file of the recording. */
export interface ManifestClip {
  type: 'clip';
  segmentId: string;
  party: Party;
  startSample: number;
  endSample: number;
  /** Segment key wrapped by this recording's key, base64. */
  wrappedKey: string;
}

/** Which half of a party's call a track holds: what the party says, or what it is sent. */
export type TrackSide = 'said' | 'heard';

/** A stay this recording wants. Two stays of one connection are two tracks. */
export interface ManifestTrack {
  type: 'track';
  trackId: string;
  startSample: number;
  party: Party;
  /** Without it: said. */
  side?: TrackSide;
}

/** A span of a track's stream under one key; several recordings may hold a wrap of the same segment. */
export interface ManifestSegment {
  type: 'segment';
  segmentId: string;
  trackId: string;
  startSample: number;
  /** Segment key wrapped by this recording's key, base64. */
  wrappedKey: string;
}

export interface ManifestTrackEnd {
  type: 'track-end';
  trackId: string;
  /** The later of the moment of leaving and the end of the last packet received before it. */
  endSample: number;
  packets: number;
  overflowPackets: number;
}

/** How a paused span appears in the files: cut out, kept as silence, or kept under a tone. */
export const pauseBehaviours = ['skip', 'silence', 'mask'] as const;
export type PauseBehaviour = (typeof pauseBehaviours)[number];

export interface ManifestPause {
  type: 'pause';
  atSample: number;
  behaviour: PauseBehaviour;
}

export interface ManifestResume {
  type: 'resume';
  atSample: number;
}

/** So often a recording that is paused says so: nothing else tells how far it came before a crash. */
export const aliveIntervalMs = 5000;

export interface ManifestAlive {
  type: 'alive';
  atSample: number;
}

export interface ManifestEnd {
  type: 'end';
  atSample: number;
  endedUnixMs: number;
  reason: EndReason;
  /** The key that ended it. */
  digit?: string;
  /** The files hold this span only: what was said first to what was said last. */
  trim?: { fromSample: number; toSample: number };
}
