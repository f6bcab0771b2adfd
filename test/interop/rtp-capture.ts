import { lineCodecs } from '../../src/testkit/line-codec.ts';

/** A stream as sipp's `play_pcap_audio` wants it: a capture file, of which it sends the UDP payloads at their times. */
export interface CapturedStream {
  /** 8 kHz; sent as PCMU. */
  audio: Int16Array;
  /** Pressed in place of the audio that would be there, as RFC 4733 has it. */
  key?: { digit: string; atMs: number };
}

/** Of telephone events; the offer must name it. */
export const keyPayloadType = 101;

const packetSamples = 160;
const packetMs = 20;
const digits = '0123456789*#ABCD';
const eventPackets = 5;
/** The end is said three times (RFC 4733, section 2.5.1.4). */
const endPackets = 3;
const keyVolume = 10;
const synchronizationSource = 0x5eed0004;
const [ethernetBytes, ipBytes, udpBytes, rtpBytes, recordBytes] = [14, 20, 8, 12, 16];

/** The capture file (libpcap 2.4, Ethernet). Addresses and checksums in it are sipp's business. */
export function rtpCapture({ audio, key }: CapturedStream): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const encoded = lineCodecs.PCMU.encode(audio);
  const keyPacket = key ? Math.round(key.atMs / packetMs) : Number.POSITIVE_INFINITY;
  const packets = Array.from({ length: Math.floor(audio.length / packetSamples) }, (_, index) => {
    const timestamp = index * packetSamples;
    const sinceKey = index - keyPacket;
    const rtp =
      sinceKey >= 0 && sinceKey < eventPackets + endPackets
        ? rtpPacket(
            index,
            keyPacket * packetSamples,
            keyPayloadType,
            event(key!.digit, sinceKey),
            sinceKey === 0,
          )
        : rtpPacket(index, timestamp, 0, encoded.subarray(timestamp, timestamp + packetSamples), index === 0);
    return captured(rtp, index * packetMs);
  });
  return Buffer.concat([header, ...packets]);
}

function event(digit: string, sinceKey: number): Buffer {
  const isEnd = sinceKey >= eventPackets;
  const body = Buffer.alloc(4);
  body[0] = digits.indexOf(digit);
  body[1] = (isEnd ? 0x80 : 0) | keyVolume;
  body.writeUInt16BE(Math.min(sinceKey + 1, eventPackets) * packetSamples, 2);
  return body;
}

function rtpPacket(
  sequence: number,
  timestamp: number,
  payloadType: number,
  payload: Uint8Array,
  isMarked: boolean,
): Buffer {
  const header = Buffer.alloc(rtpBytes);
  header[0] = 0x80;
  header[1] = (isMarked ? 0x80 : 0) | payloadType;
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(timestamp, 4);
  header.writeUInt32BE(synchronizationSource, 8);
  return Buffer.concat([header, payload]);
}

function captured(rtp: Buffer, atMs: number): Buffer {
  const headers = Buffer.alloc(recordBytes + ethernetBytes + ipBytes + udpBytes);
  const frameBytes = ethernetBytes + ipBytes + udpBytes + rtp.length;
  headers.writeUInt32LE(Math.floor(atMs / 1000), 0);
  headers.writeUInt32LE((atMs % 1000) * 1000, 4);
  headers.writeUInt32LE(frameBytes, 8);
  headers.writeUInt32LE(frameBytes, 12);
  const ip = recordBytes + ethernetBytes;
  headers.writeUInt16BE(0x0800, ip - 2);
  headers[ip] = 0x45;
  headers.writeUInt16BE(frameBytes - ethernetBytes, ip + 2);
  headers[ip + 8] = 64;
  headers[ip + 9] = 17;
  const udp = ip + ipBytes;
  headers.writeUInt16BE(5004, udp);
  headers.writeUInt16BE(5004, udp + 2);
  headers.writeUInt16BE(udpBytes + rtp.length, udp + 4);
  return Buffer.concat([headers, rtp]);
}
