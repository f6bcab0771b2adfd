/** For tests: reads capture files by their own description, not by ours. Little-endian, link type RAW. */
export interface CapturedDatagram {
  atUnixUs: number;
  /** `address:port`, IPv6 in full. */
  source: string;
  target: string;
  payload: Buffer;
}

/** @throws Error for whatever a strict reader would not take, wrong checksums too */
export function readPcap(file: Buffer): CapturedDatagram[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('not a capture in microseconds');
  if (file.readUInt16LE(4) !== 2 || file.readUInt16LE(6) !== 4) throw new Error('not version 2.4');
  if (file.readUInt32LE(20) !== 101) throw new Error('not of raw IP packets');
  const datagrams: CapturedDatagram[] = [];
  let at = 24;
  while (at < file.length) {
    const bytes = file.readUInt32LE(at + 8);
    if (bytes !== file.readUInt32LE(at + 12) || at + 16 + bytes > file.length) throw new Error('cut off');
    const atUnixUs = file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4);
    datagrams.push({ atUnixUs, ...readIp(file.subarray(at + 16, at + 16 + bytes)) });
    at += 16 + bytes;
  }
  return datagrams;
}

function readIp(packet: Buffer): Omit<CapturedDatagram, 'atUnixUs'> {
  const isV4 = packet[0]! >> 4 === 4;
  const headerBytes = isV4 ? 20 : 40;
  const total = isV4 ? packet.readUInt16BE(2) : packet.readUInt16BE(4) + headerBytes;
  if (total !== packet.length) throw new Error(`IP says ${total} bytes, there are ${packet.length}`);
  if (packet[isV4 ? 9 : 6] !== 17) throw new Error('not UDP');
  if (isV4 && sum(packet.subarray(0, 20)) !== 0xffff) throw new Error('wrong checksum of IP');
  const addresses = packet.subarray(isV4 ? 12 : 8, headerBytes);
  const udp = packet.subarray(headerBytes);
  if (udp.readUInt16BE(4) !== udp.length) throw new Error('UDP has another length than IP');
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(17, 0);
  pseudo.writeUInt16BE(udp.length, 2);
  if (udp.readUInt16BE(6) === 0 || sum(Buffer.concat([addresses, pseudo, udp])) !== 0xffff)
    throw new Error('wrong checksum of UDP');
  const half = addresses.length / 2;
  return {
    source: `${text(addresses.subarray(0, half))}:${udp.readUInt16BE(0)}`,
    target: `${text(addresses.subarray(half))}:${udp.readUInt16BE(2)}`,
    payload: udp.subarray(8),
  };
}

function sum(bytes: Buffer): number {
  const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let total = 0;
  for (let at = 0; at < padded.length; at += 2) total += padded.readUInt16BE(at);
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000);
  return total;
}

function text(address: Buffer): string {
  if (address.length === 4) return [...address].join('.');
  return (address.toString('hex').match(/.{4}/g) ?? []).join(':');
}
