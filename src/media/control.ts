import type { CodecName } from '../codec/codec.ts';
import type { EndReason, Party } from '../spool/records.ts';

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
}

export interface LegOpen {
  verb: 'leg.open';
  legId: string;
}

export interface LegNegotiate {
  verb: 'leg.negotiate';
  legId: string;
  /** Where to send until symmetric RTP learns better; undefined while unknown. */
  remote: { address: string; port: number } | undefined;
  /** Every payload type the peer may send us. */
  receive: NegotiatedCodec[];
  send: NegotiatedCodec;
  ptimeMs: number;
  telephoneEvent: { payloadType: number; clockRateHz: number } | undefined;
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
}

export interface LegClose {
  verb: 'leg.close';
  legId: string;
}

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
}

export interface RoomLeave {
  verb: 'room.leave';
  legId: string;
}

/** Ends every stay and every recording of the room. */
export interface RoomClose {
  verb: 'room.close';
  roomId: string;
}

export interface RecordingStart {
  verb: 'recording.start';
  recordingId: string;
  roomId: string;
  accountId: string;
  /** Sampling rate of everything rendered from this recording. */
  rateHz: number;
  /** Sealed recording key, see `spool/keys`. Made by the server, so that the worker never holds the master key. */
  key: RecordingKeyMaterial;
  /** Free data kept in the manifest's header for whoever reads a bare spool. */
  meta: Record<string, unknown>;
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
  reason: EndReason;
}

/** Writes everything spooled so far into the segment files, so that a reader sees it (live playback). */
export interface SpoolSettle {
  verb: 'spool.settle';
  roomId: string;
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
  | RoomClose
  | RecordingStart
  | RecordingStop
  | SpoolSettle
  | WorkerDrain
  | WorkerStatsQuery;

export type WorkerEvent =
  | { event: 'leg.digit'; legId: string; digit: string; durationMs: number }
  /** First packet of the leg, with where it came from. */
  | { event: 'leg.media'; legId: string; address: string; port: number }
  /** The stay ended by the leave key; the leg itself goes on. */
  | { event: 'stay.left'; legId: string; trackId: string; roomId: string }
  /** Decided at a sample; the manifest's header is on its way to the disk. */
  | { event: 'recording.started'; recordingId: string; roomId: string }
  /** Everything is settled and synced: the manifest on disk is final and says the rest. */
  | { event: 'recording.ended'; recordingId: string; roomId: string; reason: EndReason }
  | { event: 'fault'; message: string };

/** What a successful command answers; `{}` where nothing is worth saying. */
export interface CommandReply {
  /** leg.open: the RTP port on the worker's media address. */
  port?: number;
  /** worker.stats */
  stats?: WorkerStats;
}

export interface WorkerStats {
  openPorts: number;
  legs: number;
  rooms: number;
  recordings: number;
  receivedPackets: number;
  sentPackets: number;
  failedSends: number;
  lateTicks: number;
  maxLatenessUs: number;
  /** Entries lost because the writer thread could not keep up; each loss is also a mark in the manifests. */
  ringOverflows: number;
}
