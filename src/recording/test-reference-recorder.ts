import type { RecorderOptions } from '../media/recorder-options.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import { type RecordingScript, roomOfScript, type ScriptLeg } from './test-recording-script.ts';
import { ReferenceOutput } from './test-reference-output.ts';
import { sine } from './test-reference-sine.ts';
import { type ActionOf, type Interval, ScriptCalls, type Sent, slotSamples } from './test-script-calls.ts';

/*
 * What a script's recordings are to be, worked out from the script by the rules of docs/recording.md and nothing of
 * the product: the whole script is known, so everything is looked up in it, moment by moment. For tests only.
 */

export interface ReferencePause {
  fromSample: number;
  toSample: number;
  behaviour: PauseBehaviour;
}

export interface ReferenceTrack {
  trackId: string;
  side: 'said' | 'heard';
  legId: string;
  /** On the room's clock, from 0 on; the end excluded. */
  fromSample: number;
  toSample: number;
  samples: Int16Array;
  /** 0 where the room's mix or another party's jitter decide. */
  exact: Uint8Array;
}

export interface ReferenceRecording {
  recordingId: string;
  on: string;
  /** As `recording.start` has it. */
  roomId: string;
  originUs: number;
  options: RecorderOptions;
  startSample: number;
  endSample: number;
  reason: string;
  pauses: ReferencePause[];
  tracks: ReferenceTrack[];
  /** When it ended, whenever that was noticed. */
  endUs: number;
  /** When it takes what comes. */
  isOn(atUs: number): boolean;
}

type Record = ActionOf<'record'>;

export class ReferenceRecorder {
  readonly #calls: ScriptCalls;
  readonly #script: RecordingScript;
  #outputs: ReadonlyMap<string, ReferenceOutput>;
  /** When the pause of the calls reaches a leg, or the room. */
  readonly #held = new Map<string, { behaviour: PauseBehaviour } & Interval>();

  constructor(script: RecordingScript) {
    const calls = new ScriptCalls(script);
    this.#script = script;
    this.#calls = calls;
    this.#outputs = this.#outputsOf();
  }

  get calls(): ScriptCalls {
    return this.#calls;
  }

  recordings(): ReferenceRecording[] {
    const records = this.#calls.actions('record');
    this.#findHolds();
    for (const leg of this.#script.legs) {
      const hold = this.#held.get(leg.legId);
      if (hold) this.#calls.resumed(leg, hold.toUs);
    }
    // Nobody else hears what is too new either.
    this.#outputs = this.#outputsOf();
    return records.map((record) => this.#recording(record));
  }

  #outputsOf(): Map<string, ReferenceOutput> {
    return new Map(this.#script.legs.map(({ legId }) => [legId, new ReferenceOutput(this.#calls, legId)]));
  }

  /** Each call that a pause of the call reaches, while it does: the paused one, and who is in the room with it. */
  #findHolds(): void {
    const hold = this.#calls.actions('pause').find(({ scope }) => scope === 'call');
    if (!hold) return;
    const record = this.#calls.actions('record').find(({ recordingId }) => recordingId === hold.recordingId)!;
    const { start, end } = this.#rawSpan(record);
    if (hold.atUs >= end || hold.atUs < start) return;
    // Whether it was over by itself before.
    if (this.#recording(record).endUs <= hold.atUs) return;
    const resume = this.#calls
      .actions('resume')
      .find(({ atUs, recordingId }) => recordingId === hold.recordingId && atUs > hold.atUs);
    const toUs = Math.min(resume?.atUs ?? Number.POSITIVE_INFINITY, end);
    this.#hold(record.on, hold, { fromUs: hold.atUs, toUs });
    const isRoom = record.on === roomOfScript;
    if (!isRoom) this.#hold(roomOfScript, hold, intersection(this.#stayOf(record.on), hold.atUs, toUs));
    for (const { legId } of this.#script.legs) {
      if (legId === record.on) continue;
      const near = isRoom ? this.#stayOf(legId) : this.#calls.together();
      this.#hold(legId, hold, intersection(near, hold.atUs, toUs));
    }
  }

  #stayOf(legId: string): Interval {
    return this.#calls.stays.get(legId)!;
  }

  #hold(on: string, { behaviour }: ActionOf<'pause'>, { fromUs, toUs }: Interval): void {
    if (fromUs < toUs) this.#held.set(on, { behaviour, fromUs, toUs });
  }

  /** From its command to what ends it, but for its own length and keys. */
  #rawSpan({ recordingId, on, atUs }: Record): { start: number; end: number; reason: string } {
    const stop = this.#calls.actions('stop').find((action) => action.recordingId === recordingId);
    const closed = on === roomOfScript ? this.#calls.actions('closeRoom')[0]!.atUs : this.#calls.closeOf(on);
    if (stop && stop.atUs < closed) return { start: atUs, end: stop.atUs, reason: 'stopped' };
    return { start: atUs, end: closed, reason: on === roomOfScript ? 'conversation_ended' : 'call_ended' };
  }

  /** The room's clock begins with what comes first. */
  #originOf(on: string): number {
    const firsts = this.#calls.actions('record').filter((record) => record.on === on);
    const joins = on === roomOfScript ? this.#calls.actions('join') : [];
    return Math.min(...[...firsts, ...joins].map(({ atUs }) => atUs));
  }

  /** The moments at which the pauses change, each with how it is paused from then on. */
  #pausesOf({ recordingId, on }: Record, beginUs: number): PauseChange[] {
    const own = this.#script.actions.filter(
      (action) => (action.kind === 'pause' || action.kind === 'resume') && action.recordingId === recordingId,
    );
    const hold = this.#held.get(on);
    const moments = new Set(own.map(({ atUs }) => atUs));
    if (hold) moments.add(hold.fromUs).add(hold.toUs);
    moments.add(beginUs);
    const changes: PauseChange[] = [];
    for (const atUs of [...moments].sort((a, b) => a - b)) {
      if (atUs < beginUs || !Number.isFinite(atUs)) continue;
      // A pause of what is paused already changes nothing.
      const done = own.filter((action) => action.atUs <= atUs);
      const resumed = done.findLastIndex(({ kind }) => kind === 'resume');
      const pause = done[resumed + 1];
      const alone = pause?.kind === 'pause' ? pause.behaviour : undefined;
      const isHeld = hold && hold.fromUs <= atUs && atUs < hold.toUs;
      const behaviour = alone ?? (isHeld ? hold.behaviour : undefined);
      if (behaviour !== changes.at(-1)?.behaviour) changes.push({ atUs, behaviour });
    }
    return changes;
  }

  #recording(record: Record): ReferenceRecording {
    const { recordingId, on, options } = record;
    const originUs = this.#originOf(on);
    const sampleAt = (us: number): number => Math.round(((us - originUs) * 8) / 1000);
    const raw = this.#rawSpan(record);
    const beginUs =
      this.#beginOf(recordingId) ?? (options.beep && this.#beeps(record) ? Infinity : record.atUs);
    const begins = beginUs < raw.end;
    const startSample = sampleAt(begins ? beginUs : record.atUs);
    const changes = begins ? this.#pausesOf(record, beginUs) : [];
    const isUnpaused = (us: number): boolean =>
      begins && us >= beginUs && changes.findLast(({ atUs }) => atUs <= us)?.behaviour === undefined;
    const limit = begins ? this.#limitSample(options, startSample, changes, sampleAt) : undefined;
    const ending = this.#endOf(record, { raw, limit, originUs, isUnpaused });
    const { endUs, takenToUs, exactEnd } = ending;
    const isOn = (us: number): boolean => isUnpaused(us) && us < takenToUs;
    const tracks = this.#tracksOf(record, { startSample, sampleAt, isOn, endUs: takenToUs });
    const lastEnd = Math.max(sampleAt(endUs), startSample, ...tracks.map(({ toSample }) => toSample));
    const recordedTo = exactEnd ?? Math.min(lastEnd, limit ?? lastEnd);
    const endSample = begins ? Math.max(startSample, recordedTo) : startSample;
    const pauses = pausesOf(changes, endUs, endSample, sampleAt);
    for (const track of tracks)
      track.toSample = Math.max(track.fromSample, Math.min(track.toSample, endSample));
    const isEmpty = !tracks.some((track) => this.#tracksWithMedia.has(track));
    const reason = isEmpty && ending.reason === raw.reason ? 'no_media' : ending.reason;
    const roomId = on === roomOfScript ? on : `call-${on}`;
    return {
      recordingId,
      on,
      roomId,
      originUs,
      options,
      startSample,
      endSample,
      reason,
      pauses,
      tracks,
      endUs,
      isOn,
    };
  }

  /** What comes first: a command or the end of the call, a key, the length. */
  #endOf(
    record: Record,
    { raw, limit, originUs, isUnpaused }: EndInput,
  ): { endUs: number; takenToUs: number; exactEnd?: number; reason: string } {
    const sampleAt = (us: number): number => Math.round(((us - originUs) * 8) / 1000);
    const key = this.#keyThatEnds(record, (us) => isUnpaused(us) && us < raw.end);
    const endUs = key ?? raw.end;
    if (limit !== undefined && limit <= sampleAt(endUs)) {
      // What was said before the length was over may come a little later.
      const limitUs = Math.min(endUs, originUs + limit * 125);
      const patientToUs = Math.ceil((limitUs + 200_000) / 20_000) * 20_000;
      const takenToUs = Math.min(raw.end, patientToUs, this.#firstPause(record.on, limitUs));
      return { endUs: limitUs, takenToUs, exactEnd: limit, reason: 'max_length' };
    }
    if (key === undefined) return { endUs, takenToUs: endUs, reason: raw.reason };
    return { endUs, takenToUs: endUs, exactEnd: sampleAt(key), reason: 'terminator' };
  }

  /** Of any recording of the same. */
  #firstPause(on: string, fromUs: number): number {
    const isOf = (id: string): boolean =>
      this.#calls.actions('record').some((each) => each.recordingId === id && each.on === on);
    const pauses = this.#calls
      .actions('pause')
      .filter((each) => each.atUs >= fromUs && isOf(each.recordingId));
    return Math.min(...pauses.map(({ atUs }) => atUs));
  }

  /** When the first who hears the beep has heard it all. */
  #beginOf(recordingId: string): number | undefined {
    const begins = [...this.#outputs.values()].flatMap(({ begins }) => begins.get(recordingId) ?? []);
    return begins.length > 0 ? Math.min(...begins) : undefined;
  }

  readonly #tracksWithMedia = new Set<ReferenceTrack>();

  #beeps({ on, atUs }: Record): boolean {
    return on !== roomOfScript || this.#script.legs.some(({ legId }) => this.#calls.isIn(legId, atUs));
  }

  #keyThatEnds({ on, options }: Record, isOn: (us: number) => boolean): number | undefined {
    const presses = this.#script.legs.flatMap(({ legId, packets }) =>
      packets.filter(
        ({ digit, atUs }) =>
          digit !== undefined &&
          options.terminators?.includes(digit) &&
          (on === legId || (on === roomOfScript && this.#calls.isIn(legId, atUs))) &&
          isOn(atUs),
      ),
    );
    return presses.length > 0 ? Math.min(...presses.map(({ atUs }) => atUs)) : undefined;
  }

  /** Where so much was recorded, if it goes on for so long. */
  #limitSample(
    { maxLengthMs }: RecorderOptions,
    startSample: number,
    changes: readonly PauseChange[],
    sampleAt: (us: number) => number,
  ): number | undefined {
    if (maxLengthMs === undefined) return undefined;
    let left = maxLengthMs * 8;
    let from: number | undefined =
      changes[0]?.behaviour !== undefined && sampleAt(changes[0].atUs) <= startSample
        ? undefined
        : startSample;
    for (const { atUs, behaviour } of changes) {
      const sample = sampleAt(atUs);
      if (behaviour === undefined) from = sample;
      else if (from !== undefined) {
        if (sample - from >= left) return from + left;
        left -= sample - from;
        from = undefined;
      }
    }
    return from === undefined ? undefined : from + left;
  }

  #tracksOf(
    { on, options, atUs }: Record,
    place: { startSample: number; sampleAt(us: number): number; isOn(us: number): boolean; endUs: number },
  ): ReferenceTrack[] {
    const { direction = 'both' } = options;
    if (on === roomOfScript) {
      const joins = this.#calls
        .actions('join')
        .map(({ legId }) => this.#script.legs.find((leg) => leg.legId === legId)!);
      return joins.flatMap((leg) => {
        const stay = this.#calls.stays.get(leg.legId)!;
        if (stay.fromUs >= place.endUs || stay.toUs <= atUs) return [];
        return [this.#track(leg, `track-${leg.legId}`, 'said', this.#calls.saidBy(leg), stay, place)];
      });
    }
    const leg = this.#script.legs.find(({ legId }) => legId === on)!;
    const whole = { fromUs: this.#originOf(on), toUs: this.#calls.closeOf(on) };
    const said = this.#track(leg, `said-${on}`, 'said', this.#calls.saidBy(leg), whole, place);
    const heard = this.#track(leg, `heard-${on}`, 'heard', this.#outputs.get(on)!.sent, whole, place);
    return [...(direction === 'listen' ? [] : [said]), ...(direction === 'speak' ? [] : [heard])];
  }

  #track(
    { legId }: ScriptLeg,
    trackId: string,
    side: 'said' | 'heard',
    sent: readonly Sent[],
    stay: Interval,
    {
      startSample,
      sampleAt,
      isOn,
      endUs,
    }: { startSample: number; sampleAt(us: number): number; isOn(us: number): boolean; endUs: number },
  ): ReferenceTrack {
    const fromSample = Math.max(startSample, sampleAt(stay.fromUs));
    const kept = sent.filter(
      ({ atUs, cameUs = atUs }) => cameUs > stay.fromUs && cameUs < stay.toUs && isOn(cameUs),
    );
    const samples = new Int16Array(sampleAt(endUs) + 4000);
    const exact = new Uint8Array(samples.length).fill(1);
    const first = kept[0];
    const firstUs = first && (side === 'heard' ? first.atUs : fastestUs(first, kept));
    const shift = first ? Math.max(fromSample, sampleAt(firstUs!)) - first.streamSample : 0;
    let toSample = Math.max(fromSample, sampleAt(Math.min(endUs, stay.toUs)));
    for (const each of kept) {
      const atSample = each.streamSample + shift;
      samples.set(each.samples, atSample);
      if (!each.exact) exact.fill(0, atSample, atSample + slotSamples);
      toSample = Math.max(toSample, atSample + slotSamples);
    }
    const track = { trackId, side, legId, fromSample, toSample, samples, exact };
    if (first) this.#tracksWithMedia.add(track);
    return track;
  }
}

/** When the first packet would have come, were it as fast as the fastest of the half second it begins. */
function fastestUs(first: Sent, sent: readonly Sent[]): number {
  const slownessUs = sent
    .filter(({ atUs }) => atUs - first.atUs <= 500_000)
    .map((each) => (each.streamSample - first.streamSample) * 125 - (each.atUs - first.atUs));
  return first.atUs - Math.max(0, ...slownessUs);
}

interface EndInput {
  raw: { end: number; reason: string };
  limit: number | undefined;
  originUs: number;
  isUnpaused(us: number): boolean;
}

interface PauseChange {
  atUs: number;
  behaviour: PauseBehaviour | undefined;
}

function intersection({ fromUs, toUs }: Interval, beginUs: number, endUs: number): Interval {
  return { fromUs: Math.max(fromUs, beginUs), toUs: Math.min(toUs, endUs) };
}

function pausesOf(
  changes: readonly PauseChange[],
  endUs: number,
  endSample: number,
  sampleAt: (us: number) => number,
): ReferencePause[] {
  const pauses: ReferencePause[] = [];
  for (const { atUs, behaviour } of changes) {
    if (atUs >= endUs) break;
    const before = pauses.at(-1);
    if (before) before.toSample = Math.min(before.toSample, sampleAt(atUs));
    if (behaviour !== undefined) pauses.push({ fromSample: sampleAt(atUs), toSample: endSample, behaviour });
  }
  return pauses;
}

/** A track's file. */
export function referenceFile(
  { pauses }: Pick<ReferenceRecording, 'pauses'>,
  source: { fromSample: number; toSample: number; samples: ArrayLike<number> },
): number[] {
  const file: number[] = [];
  for (let k = source.fromSample; k < source.toSample; k++) {
    const pause = pauses.find(({ fromSample, toSample }) => fromSample <= k && k < toSample);
    if (pause?.behaviour === 'skip') continue;
    file.push(pause ? (pause.behaviour === 'mask' ? sine(440, -30, k) : 0) : source.samples[k]!);
  }
  return file;
}
