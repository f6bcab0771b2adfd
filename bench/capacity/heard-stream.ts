import { packetSamples } from './stream-audio.ts';

/** Packets that a stream of the load generator heard, one place in each array for each, in the order of their coming. */
export interface HeardStream {
  /** Number of the packet that the stream itself was to send next when listening began. */
  nextPacket: number;
  /** When that was due, in us from then. */
  dueUs: number;
  /** When it came, in us from the beginning of listening. */
  atUs: Uint32Array;
  rtpTime: Uint32Array;
  /** Mu-law, `packetSamples` each. */
  payloads: Uint8Array;
}

const headBytes = 12;
const packetBytes = 8 + packetSamples;

/** As `reference/heard.h` writes them. @throws RangeError for less than so many streams */
export function readHeard(file: Uint8Array, streams: number): HeardStream[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  return Array.from({ length: streams }, () => {
    const count = view.getUint32(at + 8, true);
    const heard = {
      nextPacket: view.getUint32(at, true),
      dueUs: view.getInt32(at + 4, true),
      atUs: new Uint32Array(count),
      rtpTime: new Uint32Array(count),
      payloads: new Uint8Array(count * packetSamples),
    };
    at += headBytes;
    for (let packet = 0; packet < count; packet++, at += packetBytes) {
      heard.atUs[packet] = view.getUint32(at, true);
      heard.rtpTime[packet] = view.getUint32(at + 4, true);
      heard.payloads.set(file.subarray(at + 8, at + packetBytes), packet * packetSamples);
    }
    return heard;
  });
}
