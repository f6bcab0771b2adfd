/*
 * RFC 3550 section 6, reduced to what a recorder says and hears: sender and receiver reports, SDES with a CNAME, BYE.
 * Everything else in a compound packet is skipped by its length.
 */
const typeSenderReport = 200;
const typeReceiverReport = 201;
const typeSdes = 202;
const typeBye = 203;

const headerBytes = 8;
const senderInfoBytes = 20;
const reportBlockBytes = 24;
const sdesCname = 1;

/** More packets in one datagram are not looked at. */
const maxPackets = 16;

/** What a sender says of its own stream (section 6.4.1). */
export interface SenderInfo {
  /** NTP timestamp: seconds since 1900 and the fraction in 2^-32 s. */
  ntpSeconds: number;
  ntpFraction: number;
  rtpTime: number;
  packetCount: number;
  octetCount: number;
}

/** What a receiver says of one stream (section 6.4.1). */
export interface ReportBlock {
  ssrc: number;
  /** 0..255: lost of 256 since the report before. */
  fractionLost: number;
  /** Signed, 24 bit. */
  cumulativeLost: number;
  highestSequence: number;
  /** In units of the stream's RTP time. */
  jitter: number;
  /** Middle 32 bits of the NTP timestamp of the last sender report; 0 without one. */
  lastSenderReport: number;
  /** Since then, in 1/65536 s. */
  delaySinceSenderReport: number;
}

export interface RtcpHandlers {
  senderReport(ssrc: number, info: SenderInfo): void;
  /** From the source `ssrc`, about `block.ssrc`. */
  reportBlock(ssrc: number, block: ReportBlock): void;
  bye(ssrc: number): void;
}

/** Whether a datagram on a shared port is RTCP and no RTP (RFC 5761 section 4). */
export function isRtcp(data: Uint8Array): boolean {
  const type = data[1] ?? 0;
  return data.length >= headerBytes && data[0]! >> 6 === 2 && type >= 192 && type <= 223;
}

/**
 * Reads one compound packet (appendix A.2). What is reported is valid in itself; a packet that is not ends the
 * reading, nothing in a datagram makes it throw.
 * @returns false where the datagram does not begin as a report of version 2
 */
export function readRtcp(data: Uint8Array, handlers: RtcpHandlers): boolean {
  const type = data[1];
  if (!isRtcp(data) || data[0]! & 0x20 || (type !== typeSenderReport && type !== typeReceiverReport))
    return false;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let offset = 0;
  for (let n = 0; n < maxPackets && offset + 4 <= data.length && data[offset]! >> 6 === 2; n++) {
    const end = offset + 4 + 4 * view.getUint16(offset + 2);
    if (end > data.length) return n > 0;
    readPacket(view, offset, end, handlers);
    offset = end;
  }
  return true;
}

function readPacket(view: DataView, offset: number, end: number, handlers: RtcpHandlers): void {
  const count = view.getUint8(offset) & 0x1f;
  const type = view.getUint8(offset + 1);
  if (type === typeSenderReport && offset + headerBytes + senderInfoBytes <= end) {
    handlers.senderReport(view.getUint32(offset + 4), senderInfoAt(view, offset + headerBytes));
    readBlocks(view, offset, offset + headerBytes + senderInfoBytes, end, count, handlers);
  } else if (type === typeReceiverReport && offset + headerBytes <= end) {
    readBlocks(view, offset, offset + headerBytes, end, count, handlers);
  } else if (type === typeBye) {
    for (let i = 0; i < count && offset + headerBytes + 4 * i <= end; i++)
      handlers.bye(view.getUint32(offset + 4 + 4 * i));
  }
}

function readBlocks(
  view: DataView,
  offset: number,
  firstBlock: number,
  end: number,
  count: number,
  handlers: RtcpHandlers,
): void {
  const ssrc = view.getUint32(offset + 4);
  for (let i = 0; i < count; i++) {
    const at = firstBlock + i * reportBlockBytes;
    if (at + reportBlockBytes > end) return;
    handlers.reportBlock(ssrc, reportBlockAt(view, at));
  }
}

function senderInfoAt(view: DataView, at: number): SenderInfo {
  return {
    ntpSeconds: view.getUint32(at),
    ntpFraction: view.getUint32(at + 4),
    rtpTime: view.getUint32(at + 8),
    packetCount: view.getUint32(at + 12),
    octetCount: view.getUint32(at + 16),
  };
}

function reportBlockAt(view: DataView, at: number): ReportBlock {
  return {
    ssrc: view.getUint32(at),
    fractionLost: view.getUint8(at + 4),
    cumulativeLost: (view.getInt32(at + 4) << 8) >> 8,
    highestSequence: view.getUint32(at + 8),
    jitter: view.getUint32(at + 12),
    lastSenderReport: view.getUint32(at + 16),
    delaySinceSenderReport: view.getUint32(at + 20),
  };
}

/** One compound packet of ours. */
export interface RtcpReport {
  ssrc: number;
  /** Without it, a receiver report is written. */
  sender: SenderInfo | undefined;
  block: ReportBlock | undefined;
  /** ASCII, at most 255 bytes (section 6.5.1). */
  cname: string;
  /** The source leaves: BYE stands at the end. */
  bye: boolean;
}

/** No compound packet of `writeRtcp` is longer. */
export const maxRtcpBytes = 400;

/** @returns the number of bytes written to the start of `out`, which has room for `maxRtcpBytes` */
export function writeRtcp(out: Uint8Array, { ssrc, sender, block, cname, bye }: RtcpReport): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let offset = headerBytes;
  if (sender) {
    view.setUint32(offset, sender.ntpSeconds);
    view.setUint32(offset + 4, sender.ntpFraction);
    view.setUint32(offset + 8, sender.rtpTime);
    view.setUint32(offset + 12, sender.packetCount);
    view.setUint32(offset + 16, sender.octetCount);
    offset += senderInfoBytes;
  }
  if (block) offset = writeBlock(view, offset, block);
  writeHeader(view, 0, offset, sender ? typeSenderReport : typeReceiverReport, block ? 1 : 0);
  view.setUint32(4, ssrc);
  offset = writeSdes(view, offset, ssrc, cname);
  if (!bye) return offset;
  writeHeader(view, offset, offset + headerBytes, typeBye, 1);
  view.setUint32(offset + 4, ssrc);
  return offset + headerBytes;
}

function writeBlock(view: DataView, at: number, block: ReportBlock): number {
  const cumulative = Math.max(-0x80_0000, Math.min(0x7f_ffff, block.cumulativeLost));
  view.setUint32(at, block.ssrc);
  view.setUint32(at + 4, ((block.fractionLost & 0xff) << 24) | (cumulative & 0xff_ffff));
  view.setUint32(at + 8, block.highestSequence);
  view.setUint32(at + 12, block.jitter);
  view.setUint32(at + 16, block.lastSenderReport);
  view.setUint32(at + 20, block.delaySinceSenderReport);
  return at + reportBlockBytes;
}

/** A chunk with the CNAME, ended by at least one zero and filled up to a whole word (section 6.5). */
function writeSdes(view: DataView, at: number, ssrc: number, cname: string): number {
  const bytes = Math.min(cname.length, 255);
  const end = at + headerBytes + 4 * Math.ceil((2 + bytes + 1) / 4);
  view.setUint32(at + 4, ssrc);
  view.setUint8(at + headerBytes, sdesCname);
  view.setUint8(at + headerBytes + 1, bytes);
  for (let i = 0; i < bytes; i++) view.setUint8(at + headerBytes + 2 + i, cname.charCodeAt(i) & 0x7f);
  for (let i = at + headerBytes + 2 + bytes; i < end; i++) view.setUint8(i, 0);
  writeHeader(view, at, end, typeSdes, 1);
  return end;
}

function writeHeader(view: DataView, from: number, to: number, type: number, count: number): void {
  view.setUint8(from, 0x80 | count);
  view.setUint8(from + 1, type);
  view.setUint16(from + 2, (to - from) / 4 - 1);
}
