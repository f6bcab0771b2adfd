import { isIPv4, isIPv6 } from 'node:net';

/**
 * A capture file (draft-ietf-opsawg-pcap) of datagrams that have IP and UDP headers made up for them: link type RAW,
 * moments in microseconds, little-endian.
 *
 *     file header (24) | { seconds, microseconds, length, length (16) | IP header (20 or 40) | UDP header (8) | payload }
 */
export interface PcapEndpoint {
  /** Numeric; anything else is written as the unspecified address. */
  address: string;
  port: number;
}

export interface PcapDatagram {
  atUnixUs: number;
  source: PcapEndpoint;
  target: PcapEndpoint;
  payload: Uint8Array;
}

const linkTypeRaw = 101;
const snapLength = 262_144;
const recordHeaderBytes = 16;
const ipv4HeaderBytes = 20;
const ipv6HeaderBytes = 40;
const udpHeaderBytes = 8;
const protocolUdp = 17;
const hopLimit = 64;
/** What fits the length fields of IP, behind the headers; more is cut. */
const maxPayloadBytes = 65_535 - ipv4HeaderBytes - udpHeaderBytes;

export function pcapHeader(): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, snapLength, true);
  view.setUint32(20, linkTypeRaw, true);
  return header;
}

/** IPv4 where both sides are, else IPv6, an IPv4 address mapped into it (RFC 4291 section 2.5.5.2). */
export function pcapRecord({ atUnixUs, source, target, payload }: PcapDatagram): Uint8Array {
  const body = payload.subarray(0, maxPayloadBytes);
  const isV4 = !isIPv6(source.address) && !isIPv6(target.address);
  const ipBytes = isV4 ? ipv4HeaderBytes : ipv6HeaderBytes;
  const udpBytes = udpHeaderBytes + body.length;
  const record = new Uint8Array(recordHeaderBytes + ipBytes + udpBytes);
  const view = new DataView(record.buffer);
  view.setUint32(0, Math.floor(atUnixUs / 1e6), true);
  view.setUint32(4, Math.floor(atUnixUs % 1e6), true);
  view.setUint32(8, ipBytes + udpBytes, true);
  view.setUint32(12, ipBytes + udpBytes, true);
  const ip = record.subarray(recordHeaderBytes);
  if (isV4) writeIpv4(ip, source.address, target.address, udpBytes);
  else writeIpv6(ip, source.address, target.address, udpBytes);
  writeUdp(ip, ipBytes, { source, target, body });
  return record;
}

/** RFC 791 section 3.1. */
function writeIpv4(ip: Uint8Array, source: string, target: string, udpBytes: number): void {
  const view = new DataView(ip.buffer, ip.byteOffset);
  ip[0] = 0x45;
  view.setUint16(2, ipv4HeaderBytes + udpBytes);
  // Not to be fragmented.
  ip[6] = 0x40;
  ip[8] = hopLimit;
  ip[9] = protocolUdp;
  ip.set(ipv4Bytes(source), 12);
  ip.set(ipv4Bytes(target), 16);
  view.setUint16(10, checksum(ip.subarray(0, ipv4HeaderBytes), 0));
}

/** RFC 8200 section 3. */
function writeIpv6(ip: Uint8Array, source: string, target: string, udpBytes: number): void {
  const view = new DataView(ip.buffer, ip.byteOffset);
  ip[0] = 0x60;
  view.setUint16(4, udpBytes);
  ip[6] = protocolUdp;
  ip[7] = hopLimit;
  ip.set(ipv6Bytes(source), 8);
  ip.set(ipv6Bytes(target), 24);
}

/** RFC 768; the pseudo header ends in the addresses, which stand right before the UDP header. */
function writeUdp(
  ip: Uint8Array,
  ipBytes: number,
  { source, target, body }: { source: PcapEndpoint; target: PcapEndpoint; body: Uint8Array },
): void {
  const view = new DataView(ip.buffer, ip.byteOffset);
  const udpBytes = udpHeaderBytes + body.length;
  view.setUint16(ipBytes, source.port);
  view.setUint16(ipBytes + 2, target.port);
  view.setUint16(ipBytes + 4, udpBytes);
  ip.set(body, ipBytes + udpHeaderBytes);
  const addresses = ipBytes === ipv4HeaderBytes ? 12 : 8;
  const sum = checksum(ip.subarray(addresses), protocolUdp + udpBytes);
  view.setUint16(ipBytes + 6, sum === 0 ? 0xffff : sum);
}

/** RFC 1071. */
function checksum(bytes: Uint8Array, initial: number): number {
  let sum = initial;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function ipv4Bytes(address: string): number[] {
  return isIPv4(address) ? address.split('.').map(Number) : [0, 0, 0, 0];
}

function ipv6Bytes(address: string): number[] {
  if (isIPv4(address)) return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ipv4Bytes(address)];
  const bytes = new Array<number>(16).fill(0);
  if (!isIPv6(address)) return bytes;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const front = groupBytes(head);
  bytes.splice(0, front.length, ...front);
  const back = groupBytes(tail ?? '');
  bytes.splice(16 - back.length, back.length, ...back);
  return bytes;
}

/** `fe80:1`, or with an IPv4 address as its last group. */
function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
