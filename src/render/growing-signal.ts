import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { ChunkBodies } from '../spool/chunk-bodies.ts';
import type { GrowingRecording } from '../spool/growing-recording.ts';
import { KeptDescriptors, type OpenedFile } from '../spool/kept-descriptors.ts';
import type { SpoolRecording } from '../spool/reader.ts';
import { pauseWindowUs } from '../timeline/bounds.ts';
import { ChannelReader } from './channel.ts';
import { settledBy, settledMixEnd, spoolDelayUs } from './growth.ts';
import { type ChannelTap, MixReader } from './mix.ts';
import { PauseMap } from './pause-map.ts';
import { PlacedPackets } from './placed-packets.ts';
import { recordingView } from './recording-view.ts';
import { StereoReader, sidesOf, tonedSides } from './sides.ts';
import type { RecordingView, SampleReader, TrackView } from './track-source.ts';

export interface GrowingSignalOptions {
  recording: GrowingRecording;
  /** Left and right (`sides.ts`) instead of the mix. */
  stereo: boolean;
  lossConcealment?: 'off' | undefined;
  clock: Clock;
  /** Given what each track has in the mix, ahead of the mix itself. */
  tap?: ChannelTap | undefined;
}

/** What the manifest says, as it is rendered: the whole, and what each mix has of it. */
interface Looked {
  spooled: SpoolRecording;
  view: RecordingView;
  parts: RecordingView[];
}

/** A pause that is not over, as the looks at the recording found it; times are of our clock. */
interface OpenPause {
  fromSample: number;
  /** It began before. */
  seenUs: number;
  /** At the look before this one. */
  lookedUs: number;
}

const blockSeconds = 2;
/** Of many calls in G.711, all that is new since the last look is one block: 5 s. */
const leastBlockSamples = 40_000;
/** Records follow one another as they arrived, but for the turns in which sockets are read. */
const arrivalSlackUs = 40_000;
/** So much is read at once: packets wait in memory until they are decoded. */
const partUs = 6_000_000;
/** A track whose newest packet is older than that of another by more does not tell how far both are. */
const silentUs = 200_000;
/** Of all signals of a thread, as one is read at a time. */
const bodies = new ChunkBodies();
/** Of all signals of a thread: each look at a segment would open it anew. */
let files: KeptDescriptors<OpenedFile> | undefined;
/** Of all signals of a thread, as one is read at a time: a block a look of each would be most of what is allocated. */
let sharedBlock = new Int16Array(0);

/**
 * The samples of a rendition, given along with the recording: each packet is read, decoded and mixed once, and a
 * sample is given when nothing can change it any more. All of them together are those of the rendition of the ended
 * recording.
 *
 *     segments -> PlacedPackets.poll -> settled up to where? -> MixReader(s) -> pauses cut out -> samples
 */
export class GrowingSignal {
  readonly channels: 1 | 2;
  readonly #recording: GrowingRecording;
  readonly #lossConcealment: 'off' | undefined;
  readonly #tap: ChannelTap | undefined;
  readonly #packets = new Map<string, PlacedPackets>();
  #looked: Looked | undefined;
  #mixes: MixReader[] = [];
  #reader: SampleReader | undefined;
  #startSample = 0;
  /** Samples before it were given, or are cut out. */
  #givenTo = 0;
  #settledTo = 0;
  /** What arrived before was read; on the room's clock. */
  #readUs: number | undefined;
  readonly #clock: Clock;
  #pause: OpenPause | undefined;
  #isComplete = false;

  constructor({ recording, stereo, lossConcealment, clock, tap }: GrowingSignalOptions) {
    this.#tap = tap;
    this.#clock = clock;
    this.channels = stereo ? 2 : 1;
    this.#recording = recording;
    this.#lossConcealment = lossConcealment;
  }

  /** All samples of the ended recording were given. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** How many tracks are not read to their end. */
  get openTracks(): number {
    let open = 0;
    for (const { isEnded } of this.#packets.values()) if (!isEnded) open++;
    return open;
  }

  /** Of what was read of a track so far; undefined where it is not known (`TrackTimeline.driftPpm`). */
  driftPpm(trackId: string): number | undefined {
    return this.#packets.get(trackId)?.timeline.driftPpm;
  }

  /** @throws CallreelError as `GrowingRecording.look` */
  get rateHz(): number {
    return this.#recording.look().header.rateHz;
  }

  /**
   * Reads what is new and gives what is settled by it, interleaved, in blocks; each is valid until the next of any signal. The spool
   * must have been settled for the conversation since the last time (`spool.settle`). Is to be read to its end.
   * @throws CallreelError CONFLICT where the recording's end has changed what was given already: the file has to be
   *   made anew. NOT_FOUND, SPOOL_CORRUPT, SPOOL_KEY_MISSING
   */
  *advance(): Generator<Int16Array, void, undefined> {
    if (this.#isComplete) return;
    const view = this.#look();
    const { endSample } = view;
    const endUs = endSample === undefined ? undefined : (endSample * 1_000_000) / view.rateHz;
    const pausedUntilUs = this.#pausedUntilUs(view);
    for (let isLast = false; !isLast; ) {
      isLast = endUs === undefined ? this.#readShown(view, pausedUntilUs) : this.#readEnded(view, endUs);
      const complete = isLast && endSample !== undefined;
      const settled = complete ? endSample : this.#settled(view, pausedUntilUs);
      this.#assertFollows(view.startSample, settled);
      this.#grow(view, settled, complete);
      this.#settledTo = settled;
      yield* this.#samplesTo(complete ? settled : settledMixEnd(view, settled), view);
      this.#isComplete = complete;
    }
    const nowUs = this.#clock.monotonicUs();
    for (const { trackId } of view.tracks) this.#recording.track(trackId).noteSizes(nowUs);
    for (const packets of this.#packets.values()) packets.detach();
    bodies.reset();
    if (this.#isComplete) this.close();
  }

  close(): void {
    for (const mix of this.#mixes) mix.close();
    for (const packets of this.#packets.values()) packets.close();
  }

  #look(): RecordingView {
    const spooled = this.#recording.look();
    if (this.#looked?.spooled === spooled) return this.#looked.view;
    const view = this.#viewOf(spooled);
    const parts = this.channels === 2 ? Object.values(sidesOf(view)) : [view];
    this.#looked = { spooled, view, parts };
    return view;
  }

  #viewOf(spooled: SpoolRecording): RecordingView {
    const view = recordingView(spooled);
    const tracks = view.tracks.map((each): TrackView => {
      const track = this.#recording.track(each.trackId);
      track.bodies = bodies;
      track.files = files ??= new KeptDescriptors();
      track.looksAhead = false;
      return {
        ...each,
        records: () => ({ [Symbol.iterator]: () => track }),
        isWhole: () => track.isWhole,
      };
    });
    return { ...view, tracks, ...(this.#lossConcealment && { lossConcealment: this.#lossConcealment }) };
  }

  #packetsOf(track: TrackView, view: RecordingView): PlacedPackets {
    const known = this.#packets.get(track.trackId);
    if (known) {
      known.pauses = view.pauses;
      return known;
    }
    const packets = new PlacedPackets(track, view);
    this.#packets.set(track.trackId, packets);
    return packets;
  }

  /**
   * What is read is what an earlier look found there, whole chunks: so each is unsealed once, and whatever arrived before
   * the newest packet among it has been written meanwhile. What came later can not be settled: it would only wait in
   * memory. @returns whether no more of it is to be read now
   */
  #readShown(view: RecordingView, pausedUntilUs: number): boolean {
    const foundUs = this.#clock.monotonicUs() - spoolDelayUs;
    const partEndUs = this.#partEndUs(view);
    let isLast = true;
    for (const track of view.tracks) {
      const records = this.#recording.track(track.trackId);
      records.showAsOf(foundUs);
      this.#poll(track, view, partEndUs);
      if (records.isHolding) isLast = false;
    }
    const toUs = isLast ? Math.max(this.#arrivedUs() - arrivalSlackUs, pausedUntilUs) : partEndUs;
    this.#readUs = Math.max(this.#readUs ?? toUs, toUs);
    for (const track of view.tracks) this.#readRest(track, view, this.#readUs);
    return isLast;
  }

  /** Of a track that is silent, or behind, what the earlier look found may end before. */
  #readRest(track: TrackView, view: RecordingView, beforeUs: number): void {
    if (this.#packetsOf(track, view).lastArrivalUs >= beforeUs + arrivalSlackUs) return;
    this.#recording.track(track.trackId).showAll();
    this.#poll(track, view, beforeUs);
  }

  /** Of what has ended all is read. @returns as `#readShown` */
  #readEnded(view: RecordingView, endUs: number): boolean {
    const partEndUs = this.#partEndUs(view);
    const isLast = partEndUs >= endUs;
    this.#readUs = isLast ? Math.max(this.#readUs ?? endUs, endUs) : partEndUs;
    for (const track of view.tracks) {
      this.#recording.track(track.trackId).showAll();
      this.#poll(track, view, isLast ? Number.POSITIVE_INFINITY : partEndUs);
    }
    return isLast;
  }

  /** Reads what arrived before, as far as it is shown. */
  #poll(track: TrackView, view: RecordingView, beforeUs: number): void {
    this.#recording.track(track.trackId).untilUs = beforeUs + arrivalSlackUs;
    this.#packetsOf(track, view).poll();
  }

  #partEndUs({ startSample, rateHz }: RecordingView): number {
    return Math.max(this.#readUs ?? 0, (startSample * 1_000_000) / rateHz) + partUs;
  }

  /** When the newest packets arrived that every track has which does not keep silent, by what was read. */
  #arrivedUs(): number {
    let newestUs = 0;
    for (const { lastArrivalUs } of this.#packets.values()) newestUs = Math.max(newestUs, lastArrivalUs);
    let commonUs = newestUs;
    for (const { lastArrivalUs } of this.#packets.values())
      if (lastArrivalUs > newestUs - silentUs) commonUs = Math.min(commonUs, lastArrivalUs);
    return commonUs;
  }

  /** How far the channels are, by what was read. */
  #settled(view: RecordingView, pausedUntilUs: number): number {
    const open = [...this.#packets.values()].filter(({ isEnded }) => !isEnded);
    const paused = Math.min(pausedUntilUs, this.#readUs!);
    const settled = settledBy(view, open, this.#readUs!, paused);
    return Math.max(this.#settledTo, Math.min(settled, view.endSample ?? settled));
  }

  /**
   * On the room's clock; 0: it does not pause, or not for long yet. No packet tells the time meanwhile, our own clock does: a pause that is
   * open in this look, for which the spool was settled after the last one, was open at the last one.
   */
  #pausedUntilUs({ pauses, rateHz }: RecordingView): number {
    const nowUs = this.#clock.monotonicUs();
    const open = pauses.find(({ toSample }) => toSample === undefined);
    const { fromSample } = open ?? {};
    const known = this.#pause?.fromSample === fromSample ? this.#pause : undefined;
    this.#pause =
      fromSample === undefined ? undefined : { fromSample, seenUs: known?.seenUs ?? nowUs, lookedUs: nowUs };
    const elapsedUs = known ? known.lookedUs - known.seenUs : 0;
    return elapsedUs < 2 * pauseWindowUs ? 0 : (fromSample! * 1_000_000) / rateHz + elapsedUs;
  }

  #assertFollows(startSample: number, endSample: number): void {
    if (this.#reader && (startSample !== this.#startSample || endSample < this.#settledTo))
      throw new CallreelError('CONFLICT', 'the recording was trimmed at its end');
  }

  #grow(view: RecordingView, endSample: number, complete: boolean): void {
    if (!this.#reader && endSample <= view.startSample && !complete) return;
    const views = this.#looked!.parts;
    this.#reader ??= this.#open(views, endSample, view.startSample);
    this.#mixes.forEach((mix, index) => void mix.grow(views[index]!, endSample, complete));
  }

  #open(views: readonly RecordingView[], endSample: number, startSample: number): SampleReader {
    this.#startSample = startSample;
    this.#givenTo = startSample;
    this.#mixes = views.map(
      (part) =>
        new MixReader(
          part,
          endSample,
          startSample,
          (track, view, from) => new ChannelReader(track, view, from, this.#packetsOf(track, view)),
          this.#tap,
        ),
    );
    const [first, second] = this.#mixes;
    return second ? new StereoReader(first!, second) : first!;
  }

  *#samplesTo(toSample: number, view: RecordingView): Generator<Int16Array, void, undefined> {
    const reader = this.#reader;
    if (!reader || toSample <= this.#givenTo) return;
    const pauses = new PauseMap({ fromSample: this.#startSample, toSample }, view.pauses);
    const kept = pauses.spansOf(pauses.fileSampleOf(this.#givenTo), pauses.fileSamples);
    const blockSamples = Math.max(Math.ceil(blockSeconds * view.rateHz), leastBlockSamples) * this.channels;
    for (const span of [...kept, { fromSample: toSample, toSample }]) {
      while (this.#givenTo < span.fromSample) this.#read(reader, blockSamples, span.fromSample);
      while (this.#givenTo < span.toSample) {
        const atSample = this.#givenTo;
        const part = this.#read(reader, blockSamples, span.toSample);
        pauses.silence(part, atSample, this.channels);
        const toned = this.channels === 2 ? tonedSides(view) : undefined;
        pauses.mask(part, atSample, view.rateHz, this.channels, toned);
        yield part;
      }
    }
  }

  #read(reader: SampleReader, blockSamples: number, toSample: number): Int16Array {
    if (sharedBlock.length < blockSamples) sharedBlock = new Int16Array(blockSamples);
    const samples = Math.min(blockSamples / this.channels, toSample - this.#givenTo);
    const part = sharedBlock.subarray(0, samples * this.channels);
    reader.read(part);
    this.#givenTo += samples;
    return part;
  }
}
