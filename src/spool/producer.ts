import { CallreelError } from '../errors.ts';
import {
  digitBytes,
  formatBytes,
  holdBytes,
  overflowBytes,
  packetHeaderBytes,
  senderReportBytes,
  writeArrivalParts,
  writeDigit,
  writeFormat,
  writeHold,
  writeOverflow,
  writePacketHeader,
  writePlainHeader,
  writeSenderReport,
} from './record-codec.ts';
import type {
  DigitRecord,
  FormatRecord,
  HoldRecord,
  ManifestHeader,
  ManifestRecord,
  Party,
  SenderReportRecord,
} from './records.ts';
import { RingProducer } from './ring.ts';

/** Into memory that is shared, `TypedArray.prototype.set` goes byte by byte wherever one of both is not aligned. */
const { copy: copyBytes } = Buffer.prototype;

/** Ring entries: a record of a segment behind its handle, or a `SpoolControl` as JSON. */
export const entryRecord = 1;
export const entryControl = 2;
export const handleBytes = 4;

/** With so much that is not in its files the consumer takes no more, until the disk answers. */
export const maxUnsettledBytes = 128 * 1024 * 1024;

/** What the tick thread tells the writer thread through the ring, in order with the records. */
export type SpoolControl =
  | { op: 'start'; key: string; header: ManifestHeader }
  | { op: 'line'; recordingId: string; record: ManifestRecord }
  | { op: 'finish'; recordingId: string }
  | ({ op: 'open'; handle: number } & SegmentOpening)
  | { op: 'close'; handle: number };

export interface SegmentOpening {
  segmentId: string;
  conversationId: string;
  trackId: string;
  /** Every recording that may read the segment, with its start on that recording's own scale. */
  wants: { recordingId: string; startSample: number }[];
  /** It is no part of the track, but what was said before a consent by voice; of one recording. */
  clip?: { party: Party; endSample: number };
}

/** A segment on the tick thread's side. */
export interface OpenSegment {
  readonly segmentId: string;
  readonly handle: number;
  /** Lost since the last overflow mark. */
  lostPackets: number;
  lostAtUs: number;
}

/**
 * The tick thread's end of the spool: nothing here waits or touches a file. When the ring is full, packets are
 * dropped and counted, and an overflow mark follows in each segment that lost some as soon as there is space;
 * controls are never dropped, they wait in order.
 */
export class SpoolProducer {
  readonly #ring: RingProducer;
  readonly #waiting: Uint8Array[] = [];
  readonly #lossy = new Set<OpenSegment>();
  #nextHandle = 1;
  #overflows = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#ring = new RingProducer(shared);
  }

  /** Packets and digits dropped for want of space, ever. */
  get overflows(): number {
    return this.#overflows;
  }

  /** What the consumer did not take yet. */
  get waitingBytes(): number {
    return this.ringBytes - this.#ring.freeBytes;
  }

  get ringBytes(): number {
    return this.#ring.capacityBytes;
  }

  /** What the consumer took and has not put into its files, as it said last, of `unsettledLimitBytes`. */
  get unsettledBytes(): number {
    return this.#ring.unsettledBytes;
  }

  get unsettledLimitBytes(): number {
    return maxUnsettledBytes;
  }

  /** @param key the recording's plain key, base64 */
  startRecording(header: ManifestHeader, key: string): void {
    this.#control({ op: 'start', key, header });
  }

  append(recordingId: string, record: ManifestRecord): void {
    this.#control({ op: 'line', recordingId, record });
  }

  /** No line follows; the writer reports once the end is synced and everything of the recording is settled. */
  finishRecording(recordingId: string): void {
    this.#control({ op: 'finish', recordingId });
    this.#ring.wake();
  }

  openSegment(opening: SegmentOpening): OpenSegment {
    const handle = this.#nextHandle++;
    this.#control({ op: 'open', handle, ...opening });
    return { segmentId: opening.segmentId, handle, lostPackets: 0, lostAtUs: 0 };
  }

  closeSegment(segment: OpenSegment): void {
    if (segment.lostPackets > 0 && !this.#markLoss(segment)) this.#waiting.push(this.#lossEntry(segment));
    this.#lossy.delete(segment);
    this.#control({ op: 'close', handle: segment.handle });
  }

  /** @returns false when it was dropped; the same times and numbers as `PacketRecord` */
  packet(
    segment: OpenSegment,
    sequenceNumber: number,
    rtpTime: number,
    arrivalUs: number,
    payload: Uint8Array,
  ): boolean {
    const at = this.#reserve(segment, packetHeaderBytes + payload.length, arrivalUs);
    if (at < 0) return false;
    writePacketHeader(this.#ring.view, at, payload.length, sequenceNumber, rtpTime, arrivalUs);
    copyBytes.call(payload, this.#ring.bytes, at + packetHeaderBytes);
    this.#ring.commit();
    return true;
  }

  /**
   * As `packet`, of the segment with this handle and of a datagram that has its payload from `payloadAt` on: no later
   * than it stands in an entry here. Numbers are such as need no object: the arrival in multiples of 2^32 us and what is
   * beyond, this and the time signed or not. Others see it once the tick is over.
   * @returns false when there is no space now, or was none before: nothing is done then, and nothing counted
   */
  tryPacket(
    handle: number,
    sequenceNumber: number,
    rtpTime: number,
    arrivalHigh: number,
    arrivalLow: number,
    datagram: Uint8Array,
    payloadAt: number,
  ): boolean {
    if (this.#waiting.length > 0 || this.#lossy.size > 0) return false;
    const ring = this.#ring;
    const payloadBytes = datagram.length - payloadAt;
    const at = ring.reserve(entryRecord, handleBytes + packetHeaderBytes + payloadBytes);
    if (at < 0) return false;
    // What comes before the payload lies where the head of the record is written next.
    copyBytes.call(datagram, ring.bytes, at + handleBytes + packetHeaderBytes - payloadAt);
    ring.view.setUint32(at, handle);
    const header = at + handleBytes;
    writePlainHeader(ring.view, header, payloadBytes, sequenceNumber, rtpTime);
    writeArrivalParts(ring.view, header, arrivalHigh, arrivalLow);
    ring.commitLater();
    return true;
  }

  /** @returns false when there was no space: say it again before the next packet */
  format(segment: OpenSegment, format: Omit<FormatRecord, 'kind'>, arrivalUs: number): boolean {
    const at = this.#reserve(segment, formatBytes, arrivalUs);
    if (at < 0) return false;
    writeFormat(this.#ring.view, at, format);
    this.#ring.commit();
    return true;
  }

  digit(segment: OpenSegment, digit: Omit<DigitRecord, 'kind'>): boolean {
    const at = this.#reserve(segment, digitBytes, digit.arrivalUs);
    if (at < 0) return false;
    writeDigit(this.#ring.view, at, digit);
    this.#ring.commit();
    return true;
  }

  hold(segment: OpenSegment, hold: Omit<HoldRecord, 'kind'>): boolean {
    const at = this.#reserve(segment, holdBytes, hold.arrivalUs);
    if (at < 0) return false;
    writeHold(this.#ring.view, at, hold);
    this.#ring.commit();
    return true;
  }

  senderReport(segment: OpenSegment, report: Omit<SenderReportRecord, 'kind'>): boolean {
    const at = this.#reserve(segment, senderReportBytes, report.arrivalUs);
    if (at < 0) return false;
    writeSenderReport(this.#ring.view, at, report);
    this.#ring.commit();
    return true;
  }

  /** Call once a tick: hands over what was gathered, and what had to wait for space. */
  flush(): void {
    this.#ring.publish();
    this.#ring.refresh();
    if (!this.#flushWaiting()) return;
    for (const segment of this.#lossy) if (!this.#markLoss(segment)) return;
  }

  /** Space for one record behind its segment's handle; a refusal counts as the loss of one packet. */
  #reserve(segment: OpenSegment, bytes: number, arrivalUs: number): number {
    const ready = this.#flushWaiting() && (segment.lostPackets === 0 || this.#markLoss(segment));
    const at = ready ? this.#ring.reserve(entryRecord, handleBytes + bytes) : -1;
    if (at < 0) {
      if (segment.lostPackets === 0) segment.lostAtUs = arrivalUs;
      segment.lostPackets++;
      this.#lossy.add(segment);
      this.#overflows++;
      return -1;
    }
    this.#ring.view.setUint32(at, segment.handle);
    return at + handleBytes;
  }

  #markLoss(segment: OpenSegment): boolean {
    // Not for every few bytes: one long gap is better than many short ones.
    if (this.#waiting.length > 0 || this.#ring.freeBytes < this.#ring.capacityBytes >> 3) return false;
    const at = this.#ring.reserve(entryRecord, handleBytes + overflowBytes);
    if (at < 0) return false;
    this.#ring.bytes.set(this.#lossEntry(segment).subarray(1), at);
    this.#ring.commit();
    segment.lostPackets = 0;
    this.#lossy.delete(segment);
    return true;
  }

  /** Kind byte and entry, the form in which entries wait. */
  #lossEntry(segment: OpenSegment): Uint8Array {
    const entry = new Uint8Array(1 + handleBytes + overflowBytes);
    const view = new DataView(entry.buffer);
    entry[0] = entryRecord;
    view.setUint32(1, segment.handle);
    const mark = { packets: segment.lostPackets, arrivalUs: segment.lostAtUs };
    writeOverflow(view, 1 + handleBytes, mark);
    return entry;
  }

  #control(control: SpoolControl): void {
    const json = Buffer.from(JSON.stringify(control));
    if (json.length > this.#ring.capacityBytes >> 2)
      throw new CallreelError('REQUEST_INVALID', 'the recording carries too much meta data', {
        where: control.op,
      });
    const entry = Buffer.allocUnsafe(1 + json.length);
    entry[0] = entryControl;
    json.copy(entry, 1);
    this.#waiting.push(entry);
    this.#flushWaiting();
  }

  #flushWaiting(): boolean {
    while (this.#waiting.length > 0) {
      const entry = this.#waiting[0]!;
      const at = this.#ring.reserve(entry[0] as typeof entryRecord, entry.length - 1);
      if (at < 0) return false;
      this.#ring.bytes.set(entry.subarray(1), at);
      this.#ring.commit();
      this.#waiting.shift();
    }
    return true;
  }
}
