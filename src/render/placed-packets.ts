import { CallreelError } from '../errors.ts';
import type { PacketSeries } from '../spool/packet-series.ts';
import type { FormatRecord, OverflowRecord, SpoolRecord } from '../spool/records.ts';
import { maxLagUs, maxMarks } from '../timeline/bounds.ts';
import type { TimelineMark } from '../timeline/marks.ts';
import type { ExactSpan, Placement } from '../timeline/placement.ts';
import { TrackPlacer } from '../timeline/track-placer.ts';
import type { TrackTimeline } from '../timeline/track-timeline.ts';
import { concealableSamples, type SequencedPacket } from './loss.ts';
import { newReadPacket, noPayload, type ReadPacket, readInto } from './read-packet.ts';
import type { PauseView, RecordIterator, RecordingView, TrackView } from './track-source.ts';

/** One packet of a track with its place on the room's clock; or several that go on one where the other ended. */
export interface PlacedPacket extends SequencedPacket {
  payload: Uint8Array;
  /** On the room's clock, as `atSample`. */
  arrivalSample: number;
  /** How long the loss before it is, where it can be concealed. */
  lostSamples: number;
  /** Where the clock of its sender is followed: its place, and that of the end of the packet before, exactly. */
  exact: ExactSpan | undefined;
  previousEnd: number;
  /**
   * So many more of its length and stream lie behind it, without a loss or an exact place; in memory too, each
   * `strideBytes` behind the one before. Only of records with `nextSeries`.
   */
  followers: number;
  strideBytes: number;
}

/**
 * So much before the end of a pause may lie what comes behind it: the lag of the stream. What would lie farther back was
 * said in the pause or before it.
 */
const maxPauseLagUs = maxLagUs;

/** No packet that comes behind a pause lies before this. @param pauseEndSample of the pause, or no later than its end */
export function firstSampleBehindPause(pauseEndSample: number, rateHz: number): number {
  return pauseEndSample - Math.ceil((maxPauseLagUs * rateHz) / 1_000_000);
}

/** What waits is kept in steps of so much. */
const keptStepBytes = 512;
/** Of all tracks of a thread: what waits of one, on its way to where it is kept. */
let gathered = new Uint8Array(0);

export type PlacedPacketsOptions = Pick<RecordingView, 'rateHz' | 'onDamage'> & { pauses?: PauseView[] };

/** The packets of a track in the order of their positions, as far as no later record can put one before them. */
export class PlacedPackets {
  readonly #placer: TrackPlacer<ReadPacket>;
  readonly #rateHz: number;
  readonly #track: TrackView;
  readonly #onDamage: RecordingView['onDamage'];
  /** Of a recording that grows: as many as are known by now. */
  pauses: readonly PauseView[];
  readonly #records: RecordIterator;
  /** The packet that is being placed; the placer copies what has to wait. */
  readonly #read = newReadPacket();
  #format: FormatRecord | undefined;
  #waiting: PlacedPacket[] = [];
  #previous: PlacedPacket | undefined;
  readonly #concealed: TimelineMark[] = [];
  readonly #overflows: TimelineMark[] = [];
  #next = 0;
  #ended = false;
  /** What lies behind is not read. */
  #isDamaged = false;
  #lastArrivalUs = 0;
  /** Of a track that grows: payloads that wait until more is read. */
  #kept = noPayload;

  constructor(track: TrackView, { rateHz, onDamage, pauses = [] }: PlacedPacketsOptions) {
    this.#rateHz = rateHz;
    this.#track = track;
    this.#onDamage = onDamage;
    this.pauses = pauses;
    this.#records = track.records()[Symbol.iterator]();
    const options = { rateHz, startSample: track.startSample, isOurs: track.side === 'heard' };
    this.#placer = new TrackPlacer(options, (packet, placement) => this.#insert(packet, placement));
  }

  get timeline(): TrackTimeline {
    return this.#placer.timeline;
  }

  /** Once everything there is was read: no packet that arrives at or after `nowSample` changes what lies before. */
  settledSample(nowSample: number): number {
    return this.#placer.settledSample(nowSample);
  }

  /** When the newest record read so far arrived. */
  get lastArrivalUs(): number {
    return this.#lastArrivalUs;
  }

  /** The next packet, if it begins before `sample`; then nothing will ever begin before `sample` again. */
  before(sample: number): PlacedPacket | undefined {
    const grows = this.#track.isWhole !== undefined;
    while (!grows && !this.#ended && this.timeline.settledSample(0) < sample) this.#readNext();
    for (;;) {
      const packet = this.#waiting[this.#next];
      if (!packet || packet.atSample >= sample) {
        this.#letGo();
        return undefined;
      }
      if (packet.followers > 0) return this.#takeSeries(packet, sample);
      this.#next += 1;
      const isKept = !this.#isSaidBeforePauseEnd(packet);
      if (isKept) this.#findLoss(packet);
      // Comfort noise has no length: it only says that the sender is silent.
      if (isKept && packet.durationSamples > 0) return packet;
    }
  }

  /** Of a track that grows: reads what is there by now. `before` then gives what is settled of it. */
  poll(): void {
    while (!this.#ended && this.#readNext());
  }

  /** Of a track that grows: what waits until more is read is copied, and nothing else of what was read is held. */
  detach(): void {
    this.#read.payload = noPayload;
    for (const packet of this.#placer.waiting()) packet.payload = packet.payload.slice();
    if (this.#previous && this.#previous.payload.length > 0)
      this.#previous = { ...this.#previous, payload: noPayload };
    let bytes = 0;
    for (let at = this.#next; at < this.#waiting.length; at++) bytes += bytesOf(this.#waiting[at]!);
    if (bytes === 0) return;
    if (gathered.length < bytes) gathered = new Uint8Array(2 * bytes);
    for (let at = this.#next, from = 0; at < this.#waiting.length; at++) {
      const packet = this.#waiting[at]!;
      gathered.set(payloadsOf(packet), from);
      from += bytesOf(packet);
    }
    const kept = this.#roomFor(bytes);
    kept.set(gathered.subarray(0, bytes));
    for (let at = this.#next, from = 0; at < this.#waiting.length; at++) {
      const packet = this.#waiting[at]!;
      const held = bytesOf(packet);
      packet.payload = kept.subarray(from, from + packet.payload.length);
      from += held;
    }
  }

  /** The same memory from look to look: of hundreds of tracks new memory each time would be most of what becomes old. */
  #roomFor(bytes: number): Uint8Array {
    const { length } = this.#kept;
    const isFit = bytes <= length && length <= 4 * bytes + keptStepBytes;
    if (!isFit) this.#kept = new Uint8Array(Math.ceil(bytes / keptStepBytes) * keptStepBytes);
    return this.#kept;
  }

  /** Of a track that grows: none of its records that were not read yet arrived before `nowUs`. */
  elapsed(nowUs: number): void {
    this.#placer.elapsed(nowUs);
  }

  /** Everything was read: nothing follows. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** What happened on the track as far as it was read, in order of position; of each kind the first 10,000 at most. */
  get marks(): TimelineMark[] {
    return [...this.timeline.marks, ...this.#concealed, ...this.#overflows].sort(
      (a, b) => a.atSample - b.atSample,
    );
  }

  /** Stops reading; the file behind the track is closed. */
  close(): void {
    this.#ended = true;
    this.#records.return?.();
  }

  /** Many recordings are followed at once: what was given of each is not kept, nor the room that it took. */
  #letGo(): void {
    // What waits is copied: seldom where there is much of it.
    if (this.#next === 0 || 2 * this.#next < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
    if (this.#previous) this.#previous = { ...this.#previous, payload: noPayload };
  }

  /**
   * As many packets of a series as begin before `sample`. None of them lies farther back than its lag allows, so a pause
   * takes none away.
   */
  #takeSeries(packet: PlacedPacket, sample: number): PlacedPacket {
    const { atSample, durationSamples, followers } = packet;
    const taken = Math.min(followers + 1, Math.ceil((sample - atSample) / durationSamples));
    if (taken > followers) {
      this.#next += 1;
      this.#findLoss(packet);
      this.#previous = followerOf(packet, followers);
      return packet;
    }
    const first: PlacedPacket = { ...packet, followers: taken - 1 };
    Object.assign(packet, followerOf(packet, taken));
    this.#findLoss(first);
    this.#previous = followerOf(first, taken - 1);
    return first;
  }

  #findLoss(packet: PlacedPacket): void {
    const lost = this.#previous ? concealableSamples(this.#previous, packet, this.#rateHz) : 0;
    const samples = lost > 0 && this.#isPaused(packet.atSample - lost, packet.atSample) ? 0 : lost;
    packet.lostSamples = samples;
    packet.previousEnd = this.#previous ? endOf(this.#previous) : packet.atSample;
    this.#previous = packet;
    if (samples === 0 || this.#concealed.length >= maxMarks) return;
    this.#concealed.push({ kind: 'concealed', atSample: packet.atSample - samples, samples });
  }

  /** What came in a pause was not lost, and nothing is made up for it. */
  #isPaused(fromSample: number, toSample: number): boolean {
    return this.pauses.some(
      (pause) => pause.fromSample < toSample && (pause.toSample ?? Number.POSITIVE_INFINITY) > fromSample,
    );
  }

  /** Though it came behind the pause. */
  #isSaidBeforePauseEnd({ atSample, arrivalSample }: PlacedPacket): boolean {
    return this.pauses.some(
      ({ toSample = Number.POSITIVE_INFINITY }) =>
        arrivalSample >= toSample && atSample < firstSampleBehindPause(toSample, this.#rateHz),
    );
  }

  /** @returns false where there is nothing, or nothing yet */
  #readNext(): boolean {
    return this.#readSeries() || this.#readRecord();
  }

  /** Packets that only go on with what is placed, all at once. @returns false where a record has to be read */
  #readSeries(): boolean {
    const format = this.#format;
    if (!format || !isPlain(format, this.#rateHz)) return false;
    const series = this.#guarded(() => this.#records.nextSeries?.());
    if (!series) return false;
    for (let index = 0; index < series.count; ) {
      const atSample = this.timeline.endSample;
      const placed = this.#placer.offerSeries(series, index);
      if (placed > 0) this.#insertSeries(series, index, placed, atSample, format);
      else this.#offerOne(series, index, format);
      index += Math.max(1, placed);
    }
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, series.newestUs);
    return true;
  }

  /** @returns false where there is none, or none yet */
  #readRecord(): boolean {
    const record = this.#nextRecord();
    if (record) this.#take(record);
    else if (this.#track.isWhole?.() !== false) {
      this.#ended = true;
      this.#placer.finish();
    }
    return record !== undefined;
  }

  #take(record: SpoolRecord): void {
    if (record.kind === 'format') {
      this.#format = record;
      this.#placer.format(record);
      return;
    }
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, record.arrivalUs);
    if (record.kind === 'sender-report') this.#placer.report(record);
    if (record.kind === 'overflow') this.#lose(record);
    if (record.kind !== 'packet' || !this.#format) return;
    this.#placer.offer(readInto(this.#read, record, this.#format));
  }

  #lose({ packets, arrivalUs }: OverflowRecord): void {
    if (this.#overflows.length >= maxMarks) return;
    this.#overflows.push({ kind: 'overflow', atSample: this.#sampleOf(arrivalUs), packets });
  }

  #sampleOf(timeUs: number): number {
    return Math.round((timeUs * this.#rateHz) / 1_000_000);
  }

  #nextRecord(): SpoolRecord | undefined {
    return this.#guarded(() => {
      const { done, value } = this.#records.next();
      return done ? undefined : value;
    });
  }

  /** @returns what it gives; undefined behind damage that somebody was told of, once */
  #guarded<T>(read: () => T | undefined): T | undefined {
    try {
      return this.#isDamaged ? undefined : read();
    } catch (error) {
      const isDamage = error instanceof CallreelError && error.code === 'SPOOL_CORRUPT';
      if (!isDamage || !this.#onDamage) throw error;
      this.#isDamaged = true;
      this.#onDamage(this.#track.trackId, error);
      return undefined;
    }
  }

  #offerOne(series: PacketSeries, index: number, format: FormatRecord): void {
    const { payloadBytes } = series;
    const packet = this.#read;
    packet.sequenceNumber = (series.sequenceNumber + index) & 0xffff;
    packet.rtpTime = (series.rtpTime + index * payloadBytes) >>> 0;
    packet.arrivalUs = series.arrivalUs(index);
    packet.durationTicks = payloadBytes;
    packet.payload = series.payload(index);
    packet.format = format;
    this.#placer.offer(packet);
  }

  /** So many of its packets lie one behind the other from `atSample` on. */
  #insertSeries(
    series: PacketSeries,
    index: number,
    packets: number,
    atSample: number,
    format: FormatRecord,
  ): void {
    const { payloadBytes, strideBytes } = series;
    this.#enqueue({
      format,
      payload: series.payload(index),
      sequenceNumber: (series.sequenceNumber + index) & 0xffff,
      rtpTime: (series.rtpTime + index * payloadBytes) >>> 0,
      durationTicks: payloadBytes,
      atSample,
      durationSamples: payloadBytes,
      arrivalSample: this.#sampleOf(series.arrivalUs(index)),
      lostSamples: 0,
      exact: undefined,
      previousEnd: atSample,
      followers: packets - 1,
      strideBytes,
    });
  }

  #insert(read: ReadPacket, { atSample, durationSamples, exact }: Placement): void {
    const { format, payload, sequenceNumber, rtpTime, durationTicks, arrivalUs } = read;
    this.#enqueue({
      format,
      payload,
      sequenceNumber,
      rtpTime,
      durationTicks,
      atSample,
      durationSamples,
      arrivalSample: this.#sampleOf(arrivalUs),
      lostSamples: 0,
      exact,
      previousEnd: atSample,
      followers: 0,
      strideBytes: 0,
    });
  }

  #enqueue(packet: PlacedPacket): void {
    let at = this.#waiting.length;
    while (at > this.#next && (this.#waiting[at - 1]?.atSample ?? 0) > packet.atSample) at -= 1;
    if (at === this.#waiting.length) this.#waiting.push(packet);
    else this.#waiting.splice(at, 0, packet);
  }
}

/** G.711 as the recording counts: a sample for each byte and tick. */
function isPlain({ codec, clockRateHz }: FormatRecord, rateHz: number): boolean {
  return (codec === 'PCMU' || codec === 'PCMA') && clockRateHz === rateHz;
}

/** The packet so many behind it, with those behind that. */
export function followerOf(packet: PlacedPacket, index: number): PlacedPacket {
  const { payload, durationSamples, durationTicks, atSample, strideBytes } = packet;
  const begins = payload.byteOffset + index * strideBytes;
  return {
    ...packet,
    payload: new Uint8Array(payload.buffer, begins, payload.length),
    sequenceNumber: (packet.sequenceNumber + index) & 0xffff,
    rtpTime: (packet.rtpTime + index * durationTicks) >>> 0,
    atSample: atSample + index * durationSamples,
    lostSamples: 0,
    previousEnd: atSample + index * durationSamples,
    followers: packet.followers - index,
  };
}

function bytesOf({ payload, followers, strideBytes }: PlacedPacket): number {
  return followers * strideBytes + payload.length;
}

/** From its payload to the end of that of its last follower. */
export function payloadsOf(packet: PlacedPacket): Uint8Array {
  const { buffer, byteOffset } = packet.payload;
  return packet.followers === 0 ? packet.payload : new Uint8Array(buffer, byteOffset, bytesOf(packet));
}

function endOf({ exact, atSample, durationSamples }: PlacedPacket): number {
  return exact?.toSample ?? atSample + durationSamples;
}
