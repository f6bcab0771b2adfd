import { isPacket, packetArrivalUs, packetHeaderBytes, readPacket } from './record-codec.ts';

/** One or two packets by themselves cost no less this way. */
const leastPackets = 3;

/**
 * Packets that follow one another, both in a run of records and in their stream: each is as long as the first, has the
 * number behind that of the one before, and an RTP time that is later by a tick for each byte of the payload.
 */
export class PacketSeries {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Of the first. */
  #offset = 0;
  readonly #first = { sequenceNumber: 0, rtpTime: 0, arrivalUs: 0 };
  count = 0;
  payloadBytes = 0;
  /** When the newest of them arrived. */
  newestUs = 0;

  /** @param bytes whole records */
  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  /** Of the first. */
  get sequenceNumber(): number {
    return this.#first.sequenceNumber;
  }

  /** Of the first. */
  get rtpTime(): number {
    return this.#first.rtpTime;
  }

  /** From the beginning of a payload to that of the next. */
  get strideBytes(): number {
    return packetHeaderBytes + this.payloadBytes;
  }

  arrivalUs(index: number): number {
    return packetArrivalUs(this.#view, this.#offset + index * this.strideBytes);
  }

  payload(index: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    const at = this.#offset + packetHeaderBytes + index * this.strideBytes;
    return new Uint8Array(buffer, byteOffset + at, this.payloadBytes);
  }

  /**
   * Takes the series that begins at `offset`, where a record begins, as far as its packets arrived before `untilUs`.
   * @returns whether there is one
   */
  find(offset: number, untilUs: number): boolean {
    const view = this.#view;
    const end = this.#bytes.length;
    this.count = 0;
    if (end - offset < packetHeaderBytes || !isPacket(view, offset)) return false;
    const first = this.#first;
    readPacket(view, offset, first);
    this.#offset = offset;
    // Everything that stands in front of its payload: the first three bytes are those of every packet of this length.
    const kindAndLength = view.getUint32(offset) >>> 8;
    const payloadBytes = kindAndLength & 0xffff;
    const strideBytes = packetHeaderBytes + payloadBytes;
    let { sequenceNumber, rtpTime } = first;
    let [count, newestUs] = [0, 0];
    for (let at = offset; at + strideBytes <= end; at += strideBytes) {
      if (view.getUint32(at) >>> 8 !== kindAndLength || view.getUint16(at + 3) !== sequenceNumber) break;
      const arrivalUs = packetArrivalUs(view, at);
      if (view.getUint32(at + 5) !== rtpTime || arrivalUs >= untilUs) break;
      if (arrivalUs > newestUs) newestUs = arrivalUs;
      count++;
      sequenceNumber = (sequenceNumber + 1) & 0xffff;
      rtpTime = (rtpTime + payloadBytes) >>> 0;
    }
    if (payloadBytes === 0 || count < leastPackets) return false;
    this.count = count;
    this.newestUs = newestUs;
    this.payloadBytes = payloadBytes;
    return true;
  }
}
