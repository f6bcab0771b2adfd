import { PacketSeries } from './packet-series.ts';
import {
  decodeRecords,
  isPacket,
  packetArrivalUs,
  packetHeaderBytes,
  readPacket,
  recordLength,
} from './record-codec.ts';
import type { PacketRecord, SpoolRecord } from './records.ts';

/** A record other than a packet has its object made as `decodeRecords` makes it. */
const emptyPayload = new Uint8Array(0);

/**
 * Walks a run of whole records, as `decodeRecords`, without an object for each packet: that of the last one is used
 * again. Payloads are views into the run.
 */
export class RecordCursor {
  readonly #packet: PacketRecord = {
    kind: 'packet',
    sequenceNumber: 0,
    rtpTime: 0,
    arrivalUs: 0,
    payload: emptyPayload,
  };
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #series: PacketSeries;
  readonly #length: number;
  #offset: number;
  /** Of what was peeked at last. */
  #peekedBytes = 0;

  /** @param offset where a record begins */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#series = new PacketSeries(bytes, this.#view);
    this.#length = bytes.length;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Behind the last record. */
  get isDone(): boolean {
    return this.#offset >= this.#length;
  }

  /**
   * The next record, which `advance` passes over; those of unknown kinds are passed over by themselves.
   * @returns valid until the next call; undefined behind the last
   * @throws CallreelError SPOOL_CORRUPT
   */
  peek(): SpoolRecord | undefined {
    while (this.#offset < this.#length) {
      const bytes = recordLength(this.#bytes, this.#view, this.#offset);
      this.#peekedBytes = bytes;
      if (isPacket(this.#view, this.#offset)) return this.#readPacket(bytes);
      const [record] = decodeRecords(this.#bytes.subarray(this.#offset, this.#offset + bytes));
      if (record) return record;
      this.#offset += bytes;
    }
    return undefined;
  }

  /**
   * Packets that come next and follow one another, all of which `advance` passes over.
   * @param untilUs those that arrived then, or later, are not among them
   * @returns valid until the next call; undefined where `peek` has to tell
   */
  peekSeries(untilUs: number): PacketSeries | undefined {
    const series = this.#series;
    if (!series.find(this.#offset, untilUs)) return undefined;
    this.#peekedBytes = series.count * series.strideBytes;
    return series;
  }

  /** Passes over the packets from here on that arrived before. @throws as `peek` */
  passPackets(beforeUs: number): void {
    while (this.#offset < this.#length && isPacket(this.#view, this.#offset)) {
      const bytes = recordLength(this.#bytes, this.#view, this.#offset);
      if (packetArrivalUs(this.#view, this.#offset) >= beforeUs) return;
      this.#offset += bytes;
    }
  }

  advance(): void {
    this.#offset += this.#peekedBytes;
  }

  #readPacket(bytes: number): PacketRecord {
    const packet = this.#packet;
    readPacket(this.#view, this.#offset, packet);
    const { buffer, byteOffset } = this.#bytes;
    packet.payload = new Uint8Array(
      buffer,
      byteOffset + this.#offset + packetHeaderBytes,
      bytes - packetHeaderBytes,
    );
    return packet;
  }
}

/** @returns when the last of them arrived; 0 where none says so. @throws CallreelError SPOOL_CORRUPT */
export function lastArrivalUs(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packet = { sequenceNumber: 0, rtpTime: 0, arrivalUs: 0 };
  let latestUs = 0;
  const end = bytes.length;
  for (let offset = 0; offset < end; ) {
    const length = recordLength(bytes, view, offset);
    if (isPacket(view, offset)) {
      readPacket(view, offset, packet);
      if (packet.arrivalUs > latestUs) latestUs = packet.arrivalUs;
    } else {
      const [record] = decodeRecords(bytes.subarray(offset, offset + length));
      if (record && record.kind !== 'format') latestUs = Math.max(latestUs, record.arrivalUs);
    }
    offset += length;
  }
  return latestUs;
}
