import { readUint16, readUint32, writeUint32 } from '../big-endian.ts';
import type { RtpTimestamp, SequenceNumber, Ssrc } from './sequence.ts';
import { toRtpTimestamp, toSequenceNumber, toSsrc } from './sequence.ts';

/*
 * RFC 3550 section 5.1:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |           synchronization source (SSRC) identifier            |
 * |            contributing source (CSRC) identifiers, CC of them |
 */
export const rtpHeaderBytes = 12;

/**
 * Why a datagram is not an RTP packet. `version`: not version 2 (STUN, DTLS, noise); `rtcp`: RTCP on the same port
 * (RFC 5761 section 4); the others name the part that reaches past the end of the datagram.
 */
export type RtpRejection = 'short' | 'version' | 'rtcp' | 'csrc' | 'extension' | 'padding';

/** One parsed packet, filled anew by each `parse`. It points into the datagram and is valid only as long as that is. */
export class RtpPacketView {
  data: Uint8Array = new Uint8Array(0);
  marker = false;
  /** 0..127 */
  payloadType = 0;
  sequenceNumber: SequenceNumber = toSequenceNumber(0);
  timestamp: RtpTimestamp = toRtpTimestamp(0);
  ssrc: Ssrc = toSsrc(0);
  csrcCount = 0;
  /** Profile word of the header extension (RFC 8285: 0xBEDE or 0x100n), undefined without one. */
  extensionProfile: number | undefined = undefined;
  extensionOffset = 0;
  extensionBytes = 0;
  payloadOffset = 0;
  /** Without padding; zero is a valid packet (a keep-alive). */
  payloadBytes = 0;
  #payload: Uint8Array = new Uint8Array(0);

  /** The payload as a view of the datagram; the same one for all who ask about a packet. */
  payload(): Uint8Array {
    const { data, payloadOffset, payloadBytes } = this;
    const known = this.#payload;
    const isSame =
      known.buffer === data.buffer &&
      known.byteOffset === data.byteOffset + payloadOffset &&
      known.length === payloadBytes;
    return isSame ? known : (this.#payload = data.subarray(payloadOffset, payloadOffset + payloadBytes));
  }
}

/** Parses datagrams from the network and counts those it refuses; nothing in a datagram makes it throw. */
export class RtpParser {
  readonly rejected: Record<RtpRejection, number> = {
    short: 0,
    version: 0,
    rtcp: 0,
    csrc: 0,
    extension: 0,
    padding: 0,
  };

  /** @returns false for anything but a well-formed RTP packet; `view` is then undefined in its fields. */
  parse(data: Uint8Array, view: RtpPacketView): boolean {
    const rejection = parseInto(data, view);
    if (rejection === undefined) return true;
    this.rejected[rejection]++;
    return false;
  }
}

function parseInto(data: Uint8Array, view: RtpPacketView): RtpRejection | undefined {
  if (data.length < rtpHeaderBytes) return 'short';
  const first = data[0]!;
  const second = data[1]!;
  if (first >> 6 !== 2) return 'version';
  if (second >= 192 && second <= 223) return 'rtcp';

  view.data = data;
  view.marker = (second & 0x80) !== 0;
  view.payloadType = second & 0x7f;
  view.sequenceNumber = toSequenceNumber(readUint16(data, 2));
  view.timestamp = toRtpTimestamp(readUint32(data, 4));
  view.ssrc = toSsrc(readUint32(data, 8));
  view.csrcCount = first & 0x0f;

  const csrcEnd = rtpHeaderBytes + 4 * view.csrcCount;
  if (csrcEnd > data.length) return 'csrc';
  const payloadOffset = parseExtension(data, view, csrcEnd, (first & 0x10) !== 0);
  if (payloadOffset > data.length) return 'extension';
  const paddingBytes = first & 0x20 ? data[data.length - 1]! : 0;
  if (first & 0x20 && (paddingBytes === 0 || payloadOffset + paddingBytes > data.length)) return 'padding';

  view.payloadOffset = payloadOffset;
  view.payloadBytes = data.length - payloadOffset - paddingBytes;
  return undefined;
}

/** RFC 3550 section 5.3.1. @returns where the payload begins; past the end of the datagram when it does not fit */
function parseExtension(data: Uint8Array, view: RtpPacketView, offset: number, present: boolean): number {
  view.extensionProfile = undefined;
  view.extensionOffset = 0;
  view.extensionBytes = 0;
  if (!present) return offset;
  if (offset + 4 > data.length) return data.length + 1;
  view.extensionProfile = readUint16(data, offset);
  view.extensionOffset = offset + 4;
  view.extensionBytes = 4 * readUint16(data, offset + 2);
  return offset + 4 + view.extensionBytes;
}

export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  /** The low 16 bits are written. */
  sequenceNumber: number;
  /** The low 32 bits are written. */
  timestamp: number;
  ssrc: number;
}

/**
 * Writes a header without CSRC, extension or padding at the start of `out`.
 * @returns the number of bytes, always `rtpHeaderBytes`; the payload goes behind it
 */
export function writeRtpHeader(out: Uint8Array, header: RtpHeader): number {
  out[0] = 0x80;
  out[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  out[2] = header.sequenceNumber >>> 8;
  out[3] = header.sequenceNumber;
  writeUint32(out, 4, header.timestamp);
  writeUint32(out, 8, header.ssrc);
  return rtpHeaderBytes;
}
