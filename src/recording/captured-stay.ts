import type {
  CapturedDigit,
  CapturedPacket,
  CapturedSenderReport,
  EvenStream,
  FastCapture,
  FastPathUser,
  Stay,
} from '../media/capture-sink.ts';
import { longestStallUs } from '../media/said-time.ts';
import type { OpenSegment, SpoolProducer } from '../spool/producer.ts';
import type { PacketSeries } from '../timeline/packet-series.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import type { RecentSpeech } from './recent-speech.ts';
import type { RecordedTrack } from './recorded-track.ts';
import type { Recorder } from './recorder.ts';
import { StayDecoder } from './stay-decoder.ts';

/** Packets arrive one after another but for so much. */
const slackUs = 1_000_000;

export interface CapturedStayOptions {
  stay: Stay;
  startUs: number;
  /** What arrived before the stay's start, by more than chance, is in no recording. */
  isCut: boolean;
  /** Position 0 of the room's clock, monotonic microseconds; it stays once something was captured. */
  originUs: () => number;
  spool: SpoolProducer;
  newSegmentId: () => string;
}

/**
 * A stay's stream on its way to the spool. It is cut into segments so that the recordings that want a segment want
 * all of it; while nobody wants the stream, it goes nowhere.
 */
export class CapturedStay implements FastCapture {
  readonly stay: Stay;
  readonly startUs: number;
  readonly #options: CapturedStayOptions;
  #wantedBy: readonly Recorder[] = [];
  #wantedFromUs = 0;
  /** What was said before, while nobody wanted it, is in no recording. */
  #saidFromUs = Number.NEGATIVE_INFINITY;
  /** Who gets it from the first packet on that begins at `atUs` or later. */
  #joining: { wanted: readonly Recorder[]; atUs: number } | undefined;
  /** What is to have what is said though no recording has it. */
  readonly listeners: Set<RecentSpeech> = new Listeners(() => this.#wake());
  #hasCaptured = false;
  /** Has packets recorded by what `goesOn` gave. */
  #user: FastPathUser | undefined;
  #tracks: RecordedTrack[] = [];
  #segment: OpenSegment | undefined;
  /** While somebody listens. */
  #decoder: StayDecoder | undefined;
  /** The packets' form as the segment knows it; payload type -1: not told yet. */
  #codec = '';
  #clockRateHz = 0;
  #payloadType = -1;
  #ssrc = 0;
  /** Whether the party holds or is held, and whether the last segment that was told of it says so. */
  #held = false;
  #toldHeld = false;

  constructor(options: CapturedStayOptions) {
    this.stay = options.stay;
    this.startUs = options.startUs;
    this.#options = options;
  }

  /** Who may record this stay at all: an explicit `never` is in no track of any kind. */
  get isRecordable(): boolean {
    return this.stay.policy !== 'never';
  }

  get spool(): SpoolProducer {
    return this.#options.spool;
  }

  get segment(): OpenSegment | undefined {
    return this.#segment;
  }

  get originUs(): number {
    return this.#options.originUs();
  }

  get hasCaptured(): boolean {
    return this.#hasCaptured;
  }

  /** From here on exactly these recordings get the stream. */
  want(recorders: readonly Recorder[], atUs: number): void {
    const { side = 'said', party } = this.stay;
    const wanted = this.isRecordable
      ? recorders.filter((each) => each.wantsSide(side) && each.consents.mayRecord(party.connectionId))
      : [];
    const isKept = this.#wantedBy.every((each) => wanted.includes(each));
    this.#joining = undefined;
    if (isKept && wanted.length === this.#wantedBy.length) return;
    // Those that run get the packet of now whole; whoever joins them has no part of it.
    this.#wake();
    if (side === 'heard' && isKept && this.#segment) this.#joining = { wanted, atUs };
    else this.#switchTo(wanted, atUs);
  }

  close(): void {
    this.#wake();
    this.#joining = undefined;
    this.#closeSegment();
    this.#decoder?.close();
    this.#decoder = undefined;
    this.#wantedBy = [];
  }

  packet(packet: CapturedPacket): void {
    if (this.#joining && packet.arrivalUs >= this.#joining.atUs)
      this.#switchTo(this.#joining.wanted, this.#joining.atUs);
    if (this.listeners.size > 0) for (const listener of this.listeners) listener.keep(packet);
    const segment = this.#segment;
    if (!segment || this.#isOfPause(packet)) return;
    const { spool } = this.#options;
    const originUs = this.#options.originUs();
    if (this.#options.isCut && packet.arrivalUs < this.startUs) return;
    this.#hasCaptured = true;
    const { sequenceNumber, rtpTime, payload } = packet;
    const arrivalUs = Math.max(0, packet.arrivalUs - originUs);
    const kept =
      (this.#isKnownFormat(packet) || this.#tellFormat(segment, packet, arrivalUs)) &&
      spool.packet(segment, sequenceNumber, rtpTime, arrivalUs, payload);
    if (!kept) {
      for (const track of this.#tracks) track.lose(1);
      return;
    }
    this.#hear(packet, arrivalUs);
  }

  /** What goes on with a packet that was captured, or was not; as `CaptureSink.goesOn`. */
  goesOn(last: EvenStream, user: FastPathUser): FastCapture | undefined {
    if (this.#joining || this.listeners.size > 0) return undefined;
    if (this.#segment) {
      if (!this.#hasCaptured || !this.#isKnownFormat(last) || this.#isNearStart(last.arrivalUs))
        return undefined;
      for (const { listener } of this.#tracks) if (listener) return undefined;
      for (const track of this.#tracks) track.user = user;
    }
    this.#user = user;
    return this;
  }

  placeSeries(series: PacketSeries): void {
    for (const track of this.#tracks) track.placeSeries(series);
  }

  /** One that went down while one of the recordings was paused is in none: they share the segment. */
  digit(digit: CapturedDigit): void {
    const segment = this.#segment;
    const { saidUs = digit.arrivalUs } = digit;
    if (!segment || this.#wantedBy.some((each) => each.recordsSinceUs > saidUs)) return;
    const { spool } = this.#options;
    this.#hasCaptured = true;
    const arrivalUs = Math.max(0, digit.arrivalUs - this.#options.originUs());
    const kept = spool.digit(segment, { ...digit, arrivalUs });
    if (!kept) for (const track of this.#tracks) track.lose(1);
  }

  hold(held: boolean, atUs: number): void {
    this.#held = held;
    if (this.#segment) this.#tellHold(this.#segment, atUs);
  }

  /** Of the stream that the segment holds; without packets it says nothing. */
  senderReport(report: CapturedSenderReport): void {
    const segment = this.#segment;
    if (!segment || this.#payloadType < 0) return;
    const { spool } = this.#options;
    const arrivalUs = Math.max(0, report.arrivalUs - this.#options.originUs());
    const received = { ...report, arrivalUs };
    const kept = spool.senderReport(segment, received);
    for (const track of this.#tracks) {
      if (kept) track.report(received);
      else track.lose(1);
    }
  }

  /** What comes about then may belong to the time before. */
  #isNearStart(arrivalUs: number): boolean {
    const startUs = this.#options.isCut ? this.startUs : Number.NEGATIVE_INFINITY;
    if (this.stay.side === 'heard') return arrivalUs < Math.max(startUs, this.#wantedFromUs);
    return arrivalUs - Math.max(startUs, this.#saidFromUs) <= longestStallUs + slackUs;
  }

  /** What is sent as one packet may have begun before it was to be recorded, what comes may have been said before. */
  #isOfPause(packet: CapturedPacket): boolean {
    const { saidUs = packet.arrivalUs, arrivalUs } = packet;
    if (this.stay.side === 'heard') return arrivalUs < this.#wantedFromUs;
    return saidUs < this.#saidFromUs;
  }

  #switchTo(wanted: readonly Recorder[], atUs: number): void {
    this.#joining = undefined;
    this.#closeSegment();
    if (this.#wantedBy.length === 0) {
      this.#wantedFromUs = atUs;
      if (atUs > this.startUs) this.#saidFromUs = atUs;
    }
    this.#wantedBy = wanted;
    if (wanted.length > 0) this.#openSegment(wanted, atUs);
  }

  #openSegment(recorders: readonly Recorder[], atUs: number): void {
    const { spool, newSegmentId } = this.#options;
    const { trackId, roomId } = this.stay;
    const startUs = Math.max(this.startUs, atUs);
    this.#segment = spool.openSegment({
      segmentId: newSegmentId(),
      conversationId: roomId,
      trackId,
      wants: recorders.map((each) => ({
        recordingId: each.recordingId,
        startSample: each.sampleAt(startUs),
      })),
    });
    this.#tracks = recorders.flatMap((each) => each.track(trackId) ?? []);
    this.#payloadType = -1;
    // It may have begun, or ended, while nobody wanted the stream.
    if (this.#held || this.#toldHeld) this.#tellHold(this.#segment, startUs);
  }

  #wake(): void {
    const user = this.#user;
    this.#user = undefined;
    user?.wake();
  }

  #closeSegment(): void {
    if (this.#segment) this.#options.spool.closeSegment(this.#segment);
    this.#segment = undefined;
    this.#tracks = [];
  }

  #tellHold(segment: OpenSegment, atUs: number): void {
    const arrivalUs = Math.max(0, atUs - this.#options.originUs());
    if (this.#options.spool.hold(segment, { held: this.#held, arrivalUs })) this.#toldHeld = this.#held;
    else for (const track of this.#tracks) track.lose(1);
  }

  /** @param arrivalUs on the room's clock */
  #hear(packet: CapturedPacket, arrivalUs: number): void {
    const { sequenceNumber, rtpTime, payload } = packet;
    const durationTicks = payloadDurationTicks(packet.codec, packet.clockRateHz, payload);
    let samples: Int16Array | undefined;
    for (const track of this.#tracks) {
      const placement = track.place(sequenceNumber, rtpTime, arrivalUs, durationTicks);
      if (!track.listener) continue;
      samples ??= this.#decoded(packet);
      if (placement) track.listener.hear(placement.atSample, samples);
    }
  }

  #decoded(packet: CapturedPacket): Int16Array {
    this.#decoder ??= new StayDecoder();
    return this.#decoder.decode(packet);
  }

  #isKnownFormat(packet: EvenStream): boolean {
    return (
      packet.ssrc === this.#ssrc &&
      packet.payloadType === this.#payloadType &&
      packet.codec === this.#codec &&
      packet.clockRateHz === this.#clockRateHz
    );
  }

  #tellFormat(segment: OpenSegment, packet: CapturedPacket, arrivalUs: number): boolean {
    if (!this.#options.spool.format(segment, packet, arrivalUs)) return false;
    this.#codec = packet.codec;
    this.#clockRateHz = packet.clockRateHz;
    this.#payloadType = packet.payloadType;
    this.#ssrc = packet.ssrc;
    for (const track of this.#tracks) track.format(packet);
    return true;
  }
}

/** Who comes has every packet from then on. */
class Listeners extends Set<RecentSpeech> {
  readonly #comes: () => void;

  constructor(comes: () => void) {
    super();
    this.#comes = comes;
  }

  override add(listener: RecentSpeech): this {
    this.#comes();
    return super.add(listener);
  }
}
