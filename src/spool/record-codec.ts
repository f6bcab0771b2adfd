import type { CodecName } from '../codec/codec.ts';
import { CallreelError } from '../errors.ts';
import type {
  DigitRecord,
  FormatRecord,
  HoldRecord,
  OverflowRecord,
  PacketRecord,
  SenderReportRecord,
  SpoolRecord,
} from './records.ts';

/**
 * The binary form of `SpoolRecord`, big endian, one kind byte first:
 *
 *     packet    1 | payload bytes u16 | sequence number u16 | RTP time u32 | arrival us u48 | payload
 *     format    2 | codec u8 | payload type u8 | clock rate Hz u32 | SSRC u32
 *     digit     3 | digit u8 (ASCII) | RTP time u32 | arrival us u48
 *     overflow  4 | packets u32 | arrival us u48
 *     sender report  128 | bytes behind these u16 | SSRC u32 | NTP seconds u32 | NTP fraction u32 | RTP time u32
 *                        | packets u32 | octets u32 | arrival us u48
 *     hold  129 | bytes behind these u16 | held u8 | arrival us u48
 *
 * Segment format version 1 has the kinds 1 to 4 and the codecs 0 to 3. From version 2 on a reader skips a kind of 128
 * or more that it does not know, by the length that stands behind each of these, and a longer body of one it knows is
 * read as far as it is known: what audio does not depend on may be added there without another version.
 */
export const packetHeaderBytes = 15;
export const formatBytes = 11;
export const digitBytes = 12;
export const overflowBytes = 11;
export const senderReportBytes = 33;
export const holdBytes = 10;

const kindPacket = 1;
const kindFormat = 2;
const kindDigit = 3;
const kindOverflow = 4;
const firstSkippableKind = 0x80;
const kindSenderReport = 0x80;
const kindHold = 0x81;
const skippableHeaderBytes = 3;
const arrivalOffset = 9;

/** Positions are numbers on disk: a name is only ever appended. */
const codecNames: readonly CodecName[] = ['PCMU', 'PCMA', 'G722', 'OPUS', 'CN', 'L16'];

function writeArrival(view: DataView, offset: number, arrivalUs: number): void {
  const clamped = Math.max(0, arrivalUs);
  view.setUint16(offset, Math.floor(clamped / 0x1_0000_0000));
  view.setUint32(offset + 2, clamped >>> 0);
}

function readArrival(view: DataView, offset: number): number {
  return view.getUint16(offset) * 0x1_0000_0000 + view.getUint32(offset + 2);
}

/** Writes everything of a packet record but its payload, which follows at `offset + packetHeaderBytes`. */
export function writePacketHeader(
  view: DataView,
  offset: number,
  payloadBytes: number,
  sequenceNumber: number,
  rtpTime: number,
  arrivalUs: number,
): void {
  writePlainHeader(view, offset, payloadBytes, sequenceNumber, rtpTime);
  writeArrival(view, offset + arrivalOffset, arrivalUs);
}

/**
 * As `writePacketHeader`, without the arrival.
 * @param rtpTime the same as a signed number gives the same bytes
 */
export function writePlainHeader(
  view: DataView,
  offset: number,
  payloadBytes: number,
  sequenceNumber: number,
  rtpTime: number,
): void {
  view.setUint8(offset, kindPacket);
  view.setUint16(offset + 1, payloadBytes);
  view.setUint16(offset + 3, sequenceNumber);
  view.setUint32(offset + 5, rtpTime);
}

/** What `writePlainHeader` leaves out: microseconds in multiples of 2^32, and the others, signed or not. */
export function writeArrivalParts(view: DataView, offset: number, high: number, low: number): void {
  view.setUint16(offset + arrivalOffset, high);
  view.setUint32(offset + arrivalOffset + 2, low);
}

export function writeFormat(view: DataView, offset: number, format: Omit<FormatRecord, 'kind'>): void {
  view.setUint8(offset, kindFormat);
  view.setUint8(offset + 1, codecNames.indexOf(format.codec));
  view.setUint8(offset + 2, format.payloadType);
  view.setUint32(offset + 3, format.clockRateHz);
  view.setUint32(offset + 7, format.ssrc);
}

export function writeDigit(view: DataView, offset: number, digit: Omit<DigitRecord, 'kind'>): void {
  view.setUint8(offset, kindDigit);
  view.setUint8(offset + 1, digit.digit.charCodeAt(0));
  view.setUint32(offset + 2, digit.rtpTime);
  writeArrival(view, offset + 6, digit.arrivalUs);
}

export function writeOverflow(view: DataView, offset: number, overflow: Omit<OverflowRecord, 'kind'>): void {
  view.setUint8(offset, kindOverflow);
  view.setUint32(offset + 1, overflow.packets);
  writeArrival(view, offset + 5, overflow.arrivalUs);
}

export function writeSenderReport(
  view: DataView,
  offset: number,
  report: Omit<SenderReportRecord, 'kind'>,
): void {
  view.setUint8(offset, kindSenderReport);
  view.setUint16(offset + 1, senderReportBytes - skippableHeaderBytes);
  view.setUint32(offset + 3, report.ssrc);
  view.setUint32(offset + 7, report.ntpSeconds);
  view.setUint32(offset + 11, report.ntpFraction);
  view.setUint32(offset + 15, report.rtpTime);
  view.setUint32(offset + 19, report.packetCount);
  view.setUint32(offset + 23, report.octetCount);
  writeArrival(view, offset + 27, report.arrivalUs);
}

export function writeHold(
  view: DataView,
  offset: number,
  { held, arrivalUs }: Omit<HoldRecord, 'kind'>,
): void {
  view.setUint8(offset, kindHold);
  view.setUint16(offset + 1, holdBytes - skippableHeaderBytes);
  view.setUint8(offset + 3, held ? 1 : 0);
  writeArrival(view, offset + 4, arrivalUs);
}

function damaged(offset: number): CallreelError {
  return new CallreelError('SPOOL_CORRUPT', 'a sealed chunk holds no valid record', { where: `+${offset}` });
}

function packetAt(bytes: Uint8Array, view: DataView, offset: number): PacketRecord {
  const start = offset + packetHeaderBytes;
  const end = start + view.getUint16(offset + 1);
  if (end > bytes.length) throw damaged(offset);
  return {
    kind: 'packet',
    sequenceNumber: view.getUint16(offset + 3),
    rtpTime: view.getUint32(offset + 5),
    arrivalUs: readArrival(view, offset + 9),
    payload: bytes.subarray(start, end),
  };
}

function formatAt(view: DataView, offset: number): FormatRecord {
  const codec = codecNames[view.getUint8(offset + 1)];
  if (codec === undefined) throw damaged(offset);
  return {
    kind: 'format',
    codec,
    payloadType: view.getUint8(offset + 2),
    clockRateHz: view.getUint32(offset + 3),
    ssrc: view.getUint32(offset + 7),
  };
}

function digitAt(view: DataView, offset: number): DigitRecord {
  return {
    kind: 'digit',
    digit: String.fromCharCode(view.getUint8(offset + 1)),
    rtpTime: view.getUint32(offset + 2),
    arrivalUs: readArrival(view, offset + 6),
  };
}

function overflowAt(view: DataView, offset: number): OverflowRecord {
  return { kind: 'overflow', packets: view.getUint32(offset + 1), arrivalUs: readArrival(view, offset + 5) };
}

/** Undefined for a kind that is not known, or too short a body of one that is. */
function skippableAt(
  view: DataView,
  offset: number,
  bytes: number,
): SenderReportRecord | HoldRecord | undefined {
  const kind = view.getUint8(offset);
  if (kind === kindHold && bytes >= holdBytes)
    return { kind: 'hold', held: view.getUint8(offset + 3) === 1, arrivalUs: readArrival(view, offset + 4) };
  if (kind !== kindSenderReport || bytes < senderReportBytes) return undefined;
  return {
    kind: 'sender-report',
    ssrc: view.getUint32(offset + 3),
    ntpSeconds: view.getUint32(offset + 7),
    ntpFraction: view.getUint32(offset + 11),
    rtpTime: view.getUint32(offset + 15),
    packetCount: view.getUint32(offset + 19),
    octetCount: view.getUint32(offset + 23),
    arrivalUs: readArrival(view, offset + 27),
  };
}

function skippableBytes(view: DataView, offset: number): number {
  if (offset + skippableHeaderBytes > view.byteLength) throw damaged(offset);
  const bytes = skippableHeaderBytes + view.getUint16(offset + 1);
  if (offset + bytes > view.byteLength) throw damaged(offset);
  return bytes;
}

const fixedBytes: Readonly<Record<number, number>> = {
  [kindPacket]: packetHeaderBytes,
  [kindFormat]: formatBytes,
  [kindDigit]: digitBytes,
  [kindOverflow]: overflowBytes,
};

/** @throws CallreelError SPOOL_CORRUPT where the record at `offset` is not whole, or none */
export function recordLength(bytes: Uint8Array, view: DataView, offset: number): number {
  const kind = view.getUint8(offset);
  if (kind >= firstSkippableKind) return skippableBytes(view, offset);
  const fixed = fixedBytes[kind];
  const room = bytes.length - offset;
  if (fixed === undefined || fixed > room) throw damaged(offset);
  const length = kind === kindPacket ? fixed + view.getUint16(offset + 1) : fixed;
  if (length > room) throw damaged(offset);
  return length;
}

export function isPacket(view: DataView, offset: number): boolean {
  return view.getUint8(offset) === kindPacket;
}

export function packetArrivalUs(view: DataView, offset: number): number {
  return readArrival(view, offset + 9);
}

/** Everything of a packet record but its payload. */
export function readPacket(
  view: DataView,
  offset: number,
  packet: Omit<PacketRecord, 'kind' | 'payload'>,
): void {
  packet.sequenceNumber = view.getUint16(offset + 3);
  packet.rtpTime = view.getUint32(offset + 5);
  packet.arrivalUs = packetArrivalUs(view, offset);
}

/**
 * Decodes a run of whole records. Payloads are views into `bytes`.
 * @throws CallreelError SPOOL_CORRUPT
 */
export function* decodeRecords(bytes: Uint8Array): Generator<SpoolRecord> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset < bytes.length) {
    const kind = view.getUint8(offset);
    if (kind >= firstSkippableKind) {
      const length = skippableBytes(view, offset);
      const record = skippableAt(view, offset, length);
      if (record) yield record;
      offset += length;
      continue;
    }
    const fixed = fixedBytes[kind];
    if (fixed === undefined || offset + fixed > bytes.length) throw damaged(offset);
    if (kind === kindPacket) {
      const packet = packetAt(bytes, view, offset);
      yield packet;
      offset += packet.payload.length;
    } else if (kind === kindFormat) yield formatAt(view, offset);
    else if (kind === kindDigit) yield digitAt(view, offset);
    else yield overflowAt(view, offset);
    offset += fixed;
  }
}
