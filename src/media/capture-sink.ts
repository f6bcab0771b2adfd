import type { CodecName } from '../codec/codec.ts';
import type { OpenSegment, SpoolProducer } from '../spool/producer.ts';
import type { Party, TrackSide } from '../spool/records.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';
import type { RecordingPolicy } from './control.ts';

/**
 * A leg's stay in a room, from join to leave: the unit that becomes a track. A call that is recorded by itself is a
 * room of its own, with a stay for what the party says and one for what it is sent.
 */
export interface Stay {
  readonly trackId: string;
  readonly roomId: string;
  readonly legId: string;
  readonly policy: RecordingPolicy;
  readonly party: Party;
  /** Without it: said. */
  readonly side?: TrackSide;
  /** What the party says is neither heard in the room nor recorded with it. */
  muted?: boolean;
  /** The party hears nothing of the room. */
  deaf?: boolean;
}

/**
 * One validated RTP packet of audio or comfort noise. The object and `payload` are reused: valid only during the call.
 * Sequence number and timestamp are as on the wire (16 and 32 bit, wrapping).
 */
export interface CapturedPacket {
  codec: CodecName;
  payloadType: number;
  clockRateHz: number;
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
  /** Monotonic microseconds. */
  arrivalUs: number;
  /** When it would have come by the fastest way of its stream; without it: `arrivalUs`, which is the latest. */
  saidUs?: number;
  payload: Uint8Array;
}

/** One finished or running telephone-event, reported once per key press (RFC 4733). */
export interface CapturedDigit {
  digit: string;
  rtpTime: number;
  arrivalUs: number;
  /** As of a packet. */
  saidUs?: number;
}

/** A sender report of the peer (RFC 3550 section 6.4.1): where its RTP time stands on its wall clock. */
export interface CapturedSenderReport {
  ssrc: number;
  /** NTP timestamp: seconds since 1900 and the fraction in 2^-32 s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTime: number;
  packetCount: number;
  octetCount: number;
  /** Monotonic microseconds. */
  arrivalUs: number;
}

/** The packets of a stream that go on with each other in everything. */
export type EvenStream = Pick<CapturedPacket, 'codec' | 'payloadType' | 'clockRateHz' | 'ssrc' | 'arrivalUs'>;

/** Whoever has packets of a stay recorded without being looked at. */
export interface FastPathUser {
  /** Everything that came so far is to be told. */
  settle(): void;
  /** And what comes is to be given one by one again. */
  wake(): void;
}

/** Where packets that go on with the last one are recorded. */
export interface FastCapture {
  readonly spool: SpoolProducer;
  /** Undefined: they are not recorded. */
  readonly segment: OpenSegment | undefined;
  /** Position 0 of their times in the spool. */
  readonly originUs: number;
  /** Some that are in the spool, as they are there; later, in their order. Valid only during the call. */
  placeSeries(series: PacketSeries): void;
}

/**
 * What the media stage pushes into the recording stage, on the tick thread, synchronously. All times are
 * monotonic microseconds.
 */
export interface CaptureSink {
  /** The room exists from its first join to `roomClosed`; its clock starts at `atUs` of the first. */
  roomOpened(roomId: string, atUs: number): void;
  stayOpened(stay: Stay, atUs: number): void;
  packet(stay: Stay, packet: CapturedPacket): void;
  /**
   * Where packets that go on with the last one of the stay may be recorded until the user is woken; undefined: each is to
   * be given.
   */
  goesOn?(stay: Stay, last: EvenStream, user: FastPathUser): FastCapture | undefined;
  digit(stay: Stay, digit: CapturedDigit): void;
  /** What the party does from here on, until it says otherwise or the stay ends: it holds, or is held. */
  hold(stay: Stay, held: boolean, atUs: number): void;
  senderReport(stay: Stay, report: CapturedSenderReport): void;
  stayClosed(stay: Stay, atUs: number): void;
  /**
   * A stay that the room still holds is closed with it.
   * @param reason why its recordings end; without it the conversation ended
   */
  roomClosed(roomId: string, atUs: number, reason?: 'conversation_ended' | 'call_ended'): void;
  /** Once a slot of 20 ms, after everything that belongs to it. */
  slot(nowUs: number): void;
}
