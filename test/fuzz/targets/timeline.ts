import assert from 'node:assert/strict';
import type { CodecName } from '../../../src/codec/codec.ts';
import { maxCorrectionPpm, maxLeadUs, maxMarks } from '../../../src/timeline/bounds.ts';
import { payloadDurationTicks } from '../../../src/timeline/payload-duration.ts';
import type { Placement } from '../../../src/timeline/placement.ts';
import { type TrackPacket, TrackPlacer } from '../../../src/timeline/track-placer.ts';
import type { TrackTimeline } from '../../../src/timeline/track-timeline.ts';
import { InputReader } from '../input-reader.ts';
import type { FuzzTarget } from '../target.ts';

const ratesHz = [8000, 16_000, 48_000];
const formats: { codec: CodecName; clockRateHz: number }[] = [
  { codec: 'PCMU', clockRateHz: 8000 },
  { codec: 'OPUS', clockRateHz: 48_000 },
  { codec: 'G722', clockRateHz: 8000 },
  { codec: 'CN', clockRateHz: 8000 },
  { codec: 'PCMA', clockRateHz: 16_000 },
];

/**
 * The packets of one track with any sequence numbers, timestamps and times of arrival. An input is a rate and a start,
 * then packets: what changes (1 byte) and the values that do; what does not goes on as a phone would.
 */
export function createTarget(): FuzzTarget {
  return {
    isText: false,
    maxBytes: 4096,
    dictionary: [
      Uint8Array.of(1, 0xff, 0xff),
      Uint8Array.of(2, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(16, 1, 2),
    ],
    seeds: () => [
      Uint8Array.of(0, 0, ...new Array(40).fill(0)),
      Uint8Array.of(1, 9, 0, 0, 1, 0, 5, 0, 16, 7, 1, 0, 2, 0, 0, 0, 9, 0, 4, 0xff, 0, 16, 7, 0, 0),
      Uint8Array.of(2, 0, 16, 9, 1, 8, 0x78, 0, 32, 0, 0, 1, 0xff, 0xff, 0, 6, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0),
    ],
    run: (input) => new Track(new InputReader(input)).run(),
  };
}

interface OfferedPacket extends TrackPacket {
  clockRateHz: number;
}

class Track {
  readonly #input: InputReader;
  readonly #rateHz: number;
  readonly #startSample: number;
  readonly #placer: TrackPlacer<OfferedPacket>;
  readonly #timeline: TrackTimeline;
  readonly #placed: Placement[] = [];
  #packets = 0;
  #sequence = 65_530;
  #rtpTime = 2 ** 32 - 500;
  #arrivalUs = 0;
  #format = 0;
  #ssrc = 7;
  #payload: Uint8Array = new Uint8Array(160);
  /** No packet may lie before that any more. */
  #settled = 0;

  constructor(input: InputReader) {
    this.#input = input;
    this.#rateHz = ratesHz[input.uint8() % 3]!;
    this.#startSample = input.uint8() * 100;
    this.#arrivalUs = (this.#startSample * 1e6) / this.#rateHz;
    this.#placer = new TrackPlacer(
      { rateHz: this.#rateHz, startSample: this.#startSample },
      (packet, placement) => this.#check(placement, packet),
    );
    this.#timeline = this.#placer.timeline;
    this.#tellFormat();
  }

  run(): void {
    let end = this.#timeline.endSample;
    while (!this.#input.done) {
      this.#change(this.#input.uint8());
      const { codec, clockRateHz } = formats[this.#format]!;
      const ticks = payloadDurationTicks(codec, clockRateHz, this.#payload);
      this.#placer.offer({
        sequenceNumber: this.#sequence,
        rtpTime: this.#rtpTime,
        arrivalUs: this.#arrivalUs,
        durationTicks: ticks,
        clockRateHz,
      });
      this.#packets++;
      assert.ok(this.#timeline.endSample >= end, 'the end never moves back');
      end = this.#timeline.endSample;
      this.#settled = Math.max(this.#settled, this.#timeline.settledSample(0));
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#rtpTime = (this.#rtpTime + ticks) >>> 0;
      this.#arrivalUs += Math.round((ticks * 1e6) / clockRateHz);
    }
    this.#placer.finish();
    assert.ok(this.#timeline.endSample >= end, 'the end never moves back');
    this.#checkCounters();
    this.#checkMarks();
    this.#checkOverlaps();
  }

  #change(what: number): void {
    const input = this.#input;
    if (what & 1) this.#sequence = input.uint16();
    if (what & 2) this.#rtpTime = input.uint32();
    if (what & 4) this.#arrivalUs += input.uint8() * (what & 128 ? 1_000_000 : 10_000);
    if (what & 8) this.#payload = Uint8Array.of(input.uint8(), input.uint8());
    if (what & 16) this.#tellFormat(input.uint8(), input.uint8());
    if (what & 32) this.#payload = new Uint8Array(input.uint16() % 2048);
    if (what & 64) this.#sequence = (this.#sequence + input.uint8() - 128) & 0xffff;
  }

  #tellFormat(format = 0, ssrc = 7): void {
    this.#format = format % formats.length;
    this.#ssrc = ssrc % 6;
    this.#placer.format({ ...formats[this.#format]!, ssrc: this.#ssrc });
  }

  #nowSample(): number {
    return Math.round((this.#arrivalUs * this.#rateHz) / 1e6);
  }

  #check(placement: Placement, { durationTicks, clockRateHz, arrivalUs }: OfferedPacket): void {
    const { atSample, durationSamples } = placement;
    assert.ok(Number.isSafeInteger(atSample) && Number.isSafeInteger(durationSamples), 'positions are whole');
    assert.ok(atSample >= this.#startSample && durationSamples >= 0);
    const longest = ((durationTicks * this.#rateHz) / clockRateHz) * (1 + maxCorrectionPpm / 1e6);
    assert.ok(durationSamples <= Math.ceil(longest) + 1, 'no longer than the packet');
    assert.ok(atSample - this.#nowSample() <= (maxLeadUs * this.#rateHz) / 1e6, 'not far ahead of the clock');
    assert.ok(atSample >= this.#settled, 'nothing changes where the track is settled');
    const arrivalSample = Math.round((arrivalUs * this.#rateHz) / 1e6);
    assert.ok(atSample >= this.#timeline.settledByTime(arrivalSample), 'time settles the track too');
    assert.ok(atSample + durationSamples <= this.#timeline.endSample);
    if (durationSamples > 0) this.#placed.push(placement);
  }

  #checkOverlaps(): void {
    this.#placed.sort((a, b) => a.atSample - b.atSample);
    let end = this.#startSample;
    for (const { atSample, durationSamples } of this.#placed) {
      assert.ok(atSample >= end, 'no sample is placed twice');
      end = atSample + durationSamples;
    }
  }

  #checkCounters(): void {
    const { counters } = this.#timeline;
    assert.equal(counters.packets, this.#packets);
    for (const [name, value] of Object.entries(counters))
      assert.ok(Number.isSafeInteger(value) && value >= 0, `${name} is a count`);
    assert.ok(counters.duplicates + counters.late + counters.early <= this.#packets);
    assert.ok(counters.gapSamples <= this.#timeline.endSample - this.#startSample);
    assert.ok(counters.lostPackets <= this.#packets * 65_536);
  }

  #checkMarks(): void {
    let before = this.#startSample;
    const { marks, endSample } = this.#timeline;
    assert.ok(marks.length <= 2 * maxMarks);
    for (const mark of marks) {
      assert.ok(mark.atSample >= before && mark.atSample <= endSample, 'marks lie on the track, in order');
      if ('samples' in mark) assert.ok(Number.isSafeInteger(mark.samples) && mark.samples >= 0);
      before = mark.atSample;
    }
  }
}
