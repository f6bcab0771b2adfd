import type { RecorderOptions } from '../media/recorder-options.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import {
  type RecordingScript,
  roomOfScript,
  type ScriptAction,
  type ScriptLeg,
} from './test-recording-script.ts';
import { fromUlaw, throughUlaw } from './test-ulaw.ts';

/*
 * What a script's recordings are to be, worked out from the script by the rules of docs/recording.md and nothing of
 * the product: the whole script is known, so everything is looked up in it, moment by moment. For tests only.
 */

const slotUs = 20_000;
const slotSamples = 160;
const beepSlots = 20;
const tickUs = 5000;
/** So long the relay waits for the next packet before the slots go on. */
const maxIdleSlots = 25;

interface Interval {
  fromUs: number;
  toUs: number;
}

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

interface Sent {
  atUs: number;
  /** When what is in it came, if that was before. */
  cameUs?: number;
  /** By the stream's own clock, in samples. */
  streamSample: number;
  samples: Int16Array;
  exact: boolean;
}

type ActionOf<K extends ScriptAction['kind']> = ScriptAction & { kind: K };
type Record = ActionOf<'record'>;

export class ReferenceRecorder {
  readonly #script: RecordingScript;
  readonly #stays: Map<string, Interval>;
  readonly #heard: Map<string, Sent[]>;
  /** When each beep is over. */
  readonly #begins = new Map<string, number>();
  readonly #held = new Map<string, { from: string; behaviour: PauseBehaviour } & Interval>();

  constructor(script: RecordingScript) {
    this.#script = script;
    this.#stays = new Map(script.legs.map(({ legId }) => [legId, this.#stayOf(legId)]));
    this.#heard = new Map(script.legs.map((leg) => [leg.legId, this.#sentTo(leg)]));
  }

  recordings(): ReferenceRecording[] {
    const records = this.#actions('record');
    this.#findHolds();
    return records.map((record) => this.#recording(record));
  }

  /** While both are in the room. */
  together(): Interval {
    const stays = [...this.#stays.values()];
    if (stays.length < 2) return { fromUs: 0, toUs: 0 };
    return {
      fromUs: Math.max(...stays.map(({ fromUs }) => fromUs)),
      toUs: Math.min(...stays.map(({ toUs }) => toUs)),
    };
  }

  /** When the leg is sent something of its own over the room. */
  playsTo(legId: string, { fromUs, toUs }: Interval): boolean {
    return (this.#own.get(legId) ?? []).some(
      (atUs) => atUs > fromUs - 2 * slotUs && atUs < toUs + 2 * slotUs,
    );
  }

  readonly #own = new Map<string, number[]>();

  #actions<K extends ScriptAction['kind']>(kind: K): ActionOf<K>[] {
    return this.#script.actions.filter((action): action is ActionOf<K> => action.kind === kind);
  }

  #of(kind: 'join' | 'leave' | 'close', legId: string): number | undefined {
    return this.#script.actions.find((action) => action.kind === kind && action.legId === legId)?.atUs;
  }

  #closeOf(legId: string): number {
    return this.#of('close', legId) ?? Number.POSITIVE_INFINITY;
  }

  #stayOf(legId: string): Interval {
    const fromUs = this.#of('join', legId) ?? Number.POSITIVE_INFINITY;
    return {
      fromUs,
      toUs: Math.min(this.#of('leave', legId) ?? Number.POSITIVE_INFINITY, this.#closeOf(legId)),
    };
  }

  /** Slot by slot: prompts in a row, beeps over them. */
  #sentTo(leg: ScriptLeg): Sent[] {
    const { legId } = leg;
    const prompts = this.#actions('play').filter((play) => play.legId === legId);
    const beeps = this.#actions('record').filter(
      ({ on, atUs, options }) =>
        options.beep === true && (on === legId || (on === roomOfScript && this.#isIn(legId, atUs))),
    );
    const own: number[] = [];
    this.#own.set(legId, own);
    const sent: Sent[] = [];
    const relayed = this.#relayedTo(legId);
    let promptSample = 0;
    let beepSlot = 0;
    let relay: { shift: number; idleSlots: number } | undefined;
    let relayEnd = 0;
    for (let atUs = slotUs; atUs < this.#closeOf(legId); atUs += slotUs) {
      const slotSample = (atUs * 8) / 1000;
      const isTakenAt = (us: number): boolean =>
        [prompts[0], beeps[0]].some((each) => each && each.atUs < us);
      for (; relayed[0] && relayed[0].atUs <= atUs; relayed.shift()) {
        const { streamSample, ...packet } = relayed[0];
        if (isTakenAt(packet.atUs)) continue;
        // It takes the place of the slot that would be next; those behind it keep their distance.
        relay ??= { shift: Math.max(relayEnd, slotSample) - streamSample, idleSlots: 0 };
        relay.idleSlots = 0;
        sent.push({ ...packet, streamSample: streamSample + relay.shift, exact: true });
        relayEnd = streamSample + relay.shift + slotSamples;
      }
      if (isTakenAt(atUs) || !this.#hearsOther(legId, atUs)) relay = undefined;
      if (relay && ++relay.idleSlots > maxIdleSlots) relay = undefined;
      if (relay || relayEnd > slotSample) continue;
      const samples = new Int16Array(slotSamples);
      let plays = false;
      for (let filled = 0; filled < slotSamples && prompts[0] && prompts[0].atUs < atUs; ) {
        const part = prompts[0].samples.subarray(promptSample, promptSample + slotSamples - filled);
        samples.set(part, filled);
        plays = true;
        filled += part.length;
        promptSample += part.length;
        if (promptSample < prompts[0].samples.length) break;
        prompts.shift();
        promptSample = 0;
      }
      const beep = beeps[0];
      if (beep && beep.atUs < atUs) {
        plays = true;
        for (let k = 0; k < slotSamples; k++) samples[k]! += sine(1400, -20, beepSlot * slotSamples + k);
        if (++beepSlot === beepSlots) {
          const before = this.#begins.get(beep.recordingId) ?? Number.POSITIVE_INFINITY;
          this.#begins.set(beep.recordingId, Math.min(before, atUs + slotUs));
          beeps.shift();
          beepSlot = 0;
        }
      }
      if (plays) own.push(atUs);
      const exact = !this.#hearsOther(legId, atUs);
      sent.push({ atUs, streamSample: slotSample, samples: samples.map(throughUlaw), exact });
    }
    return sent;
  }

  /** What the other says while both are in a room that relays, each packet at the tick that finds it. */
  #relayedTo(legId: string): Omit<Sent, 'exact'>[] {
    const other = this.#script.legs.find((leg) => leg.legId !== legId);
    if (this.#script.shape !== 'relay' || !other) return [];
    const { fromUs, toUs } = this.together();
    return this.#saidBy(other)
      .filter(({ atUs }) => fromUs < atUs && atUs < toUs)
      .map((said) => ({ ...said, cameUs: said.atUs, atUs: Math.ceil(said.atUs / tickUs) * tickUs }));
  }

  #isIn(legId: string, atUs: number): boolean {
    const { fromUs, toUs } = this.#stays.get(legId)!;
    return fromUs < atUs && atUs < toUs;
  }

  #hearsOther(legId: string, atUs: number): boolean {
    return (
      this.#isIn(legId, atUs) &&
      this.#script.legs.some((leg) => leg.legId !== legId && this.#isIn(leg.legId, atUs))
    );
  }

  /** Each call that a pause of the call reaches, and when: who is, or comes to be, with one of them in the room. */
  #findHolds(): void {
    const hold = this.#actions('pause').find(({ scope }) => scope === 'call');
    if (!hold) return;
    const record = this.#actions('record').find(({ recordingId }) => recordingId === hold.recordingId)!;
    const { start, end } = this.#rawSpan(record);
    if (hold.atUs >= end || hold.atUs < start) return;
    // Whether it was over by itself before.
    if (this.#recording(record).endUs <= hold.atUs) return;
    const resume = this.#actions('resume').find(
      ({ atUs, recordingId }) => recordingId === hold.recordingId && atUs > hold.atUs,
    );
    const toUs = Math.min(resume?.atUs ?? Number.POSITIVE_INFINITY, end);
    const { legs } = this.#script;
    const isStarted = ({ legId }: ScriptLeg): boolean => record.on === legId;
    const first = legs.filter((leg) =>
      record.on === roomOfScript ? this.#isIn(leg.legId, hold.atUs) : isStarted(leg),
    );
    for (const { legId } of first) this.#hold(legId, hold, hold.atUs, toUs);
    // The other one is reached when they meet.
    const meets = Math.max(hold.atUs, this.together().fromUs);
    if (first.length > 0 && meets < Math.min(toUs, this.together().toUs))
      for (const { legId } of legs) if (!this.#held.has(legId)) this.#hold(legId, hold, meets, toUs);
  }

  #hold(legId: string, hold: ScriptAction & { kind: 'pause' }, fromUs: number, toUs: number): void {
    this.#held.set(legId, { from: hold.recordingId, behaviour: hold.behaviour, fromUs, toUs });
  }

  /** From its command to what ends it, but for its own length and keys. */
  #rawSpan({ recordingId, on, atUs }: Record): { start: number; end: number; reason: string } {
    const stop = this.#actions('stop').find((action) => action.recordingId === recordingId);
    const closed = on === roomOfScript ? this.#actions('closeRoom')[0]!.atUs : this.#closeOf(on);
    if (stop && stop.atUs < closed) return { start: atUs, end: stop.atUs, reason: 'stopped' };
    return { start: atUs, end: closed, reason: on === roomOfScript ? 'conversation_ended' : 'call_ended' };
  }

  /** The room's clock begins with what comes first. */
  #originOf(on: string): number {
    const firsts = this.#actions('record').filter((record) => record.on === on);
    const joins = on === roomOfScript ? this.#actions('join') : [];
    return Math.min(...[...firsts, ...joins].map(({ atUs }) => atUs));
  }

  /** The moments at which the pauses change, each with how it is paused from then on. */
  #pausesOf(
    { recordingId, on }: Record,
    beginUs: number,
  ): { atUs: number; behaviour: PauseBehaviour | undefined }[] {
    const own = this.#script.actions.filter(
      (action) => (action.kind === 'pause' || action.kind === 'resume') && action.recordingId === recordingId,
    );
    const legIds = on === roomOfScript ? this.#script.legs.map(({ legId }) => legId) : [on];
    const moments = new Set(own.map(({ atUs }) => atUs));
    for (const { fromUs, toUs } of this.#held.values()) moments.add(fromUs).add(toUs);
    for (const { fromUs, toUs } of this.#stays.values()) moments.add(fromUs).add(toUs);
    moments.add(beginUs);
    const changes: { atUs: number; behaviour: PauseBehaviour | undefined }[] = [];
    for (const atUs of [...moments].sort((a, b) => a - b)) {
      if (atUs < beginUs || !Number.isFinite(atUs)) continue;
      // A pause of what is paused already changes nothing.
      const done = own.filter((action) => action.atUs <= atUs);
      const resumed = done.findLastIndex(({ kind }) => kind === 'resume');
      const pause = done[resumed + 1];
      const alone = pause?.kind === 'pause' ? pause.behaviour : undefined;
      const held = legIds
        .filter((legId) => on !== roomOfScript || this.#isInAt(legId, atUs))
        .map((legId) => this.#held.get(legId))
        .find((hold) => hold && hold.fromUs <= atUs && atUs < hold.toUs);
      const behaviour = held?.behaviour ?? alone;
      const before = changes.at(-1)?.behaviour;
      if ((behaviour === undefined) !== (before === undefined)) changes.push({ atUs, behaviour });
    }
    return changes;
  }

  #isInAt(legId: string, atUs: number): boolean {
    const { fromUs, toUs } = this.#stays.get(legId)!;
    return fromUs <= atUs && atUs < toUs;
  }

  #recording(record: Record): ReferenceRecording {
    const { recordingId, on, options } = record;
    const originUs = this.#originOf(on);
    const sampleAt = (us: number): number => Math.round(((us - originUs) * 8) / 1000);
    const raw = this.#rawSpan(record);
    const beginUs =
      this.#begins.get(recordingId) ?? (options.beep && this.#beeps(record) ? Infinity : record.atUs);
    const begins = beginUs < raw.end;
    const startSample = sampleAt(begins ? beginUs : record.atUs);
    const changes = begins ? this.#pausesOf(record, beginUs) : [];
    const isUnpaused = (us: number): boolean =>
      begins && us >= beginUs && changes.findLast(({ atUs }) => atUs <= us)?.behaviour === undefined;
    let { end: endUs, reason } = raw;
    let exactEnd: number | undefined;
    const key = this.#keyThatEnds(record, (us) => isUnpaused(us) && us < raw.end);
    if (key !== undefined) {
      endUs = key;
      reason = 'terminator';
      exactEnd = sampleAt(key);
    }
    const limit = begins ? this.#limitSample(options, startSample, changes, sampleAt) : undefined;
    if (limit !== undefined && limit <= sampleAt(endUs)) {
      reason = 'max_length';
      exactEnd = limit;
      endUs = Math.min(endUs, originUs + limit * 125);
    }
    // What was said before the length was over may come a little later.
    const takenToUs = exactEnd === limit ? raw.end : endUs;
    const isOn = (us: number): boolean => isUnpaused(us) && us < takenToUs;
    const tracks = this.#tracksOf(record, { startSample, sampleAt, isOn, endUs: takenToUs });
    const lastEnd = Math.max(sampleAt(endUs), startSample, ...tracks.map(({ toSample }) => toSample));
    const endSample = Math.max(startSample, exactEnd ?? Math.min(lastEnd, limit ?? lastEnd));
    const pauses: ReferencePause[] = [];
    for (const { atUs, behaviour } of changes) {
      if (atUs >= endUs) break;
      if (behaviour !== undefined)
        pauses.push({ fromSample: sampleAt(atUs), toSample: endSample, behaviour });
      else pauses.at(-1)!.toSample = Math.min(endSample, sampleAt(atUs));
    }
    for (const track of tracks)
      track.toSample = Math.max(track.fromSample, Math.min(track.toSample, endSample));
    if (tracks.every((track) => this.#firstSample.get(track)! >= endSample)) reason = 'no_media';
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

  readonly #firstSample = new Map<ReferenceTrack, number>();

  #beeps({ on, atUs }: Record): boolean {
    return on !== roomOfScript || this.#script.legs.some(({ legId }) => this.#isIn(legId, atUs));
  }

  #keyThatEnds({ on, options }: Record, isOn: (us: number) => boolean): number | undefined {
    const presses = this.#script.legs.flatMap(({ legId, packets }) =>
      packets.filter(
        ({ digit, atUs }) =>
          digit !== undefined &&
          options.terminators?.includes(digit) &&
          (on === legId || (on === roomOfScript && this.#isIn(legId, atUs))) &&
          isOn(atUs),
      ),
    );
    return presses.length > 0 ? Math.min(...presses.map(({ atUs }) => atUs)) : undefined;
  }

  /** Where so much was recorded, if it goes on for so long. */
  #limitSample(
    { maxLengthMs }: RecorderOptions,
    startSample: number,
    changes: readonly { atUs: number; behaviour: PauseBehaviour | undefined }[],
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
      const joins = this.#actions('join').map(
        ({ legId }) => this.#script.legs.find((leg) => leg.legId === legId)!,
      );
      return joins.flatMap((leg) => {
        const stay = this.#stays.get(leg.legId)!;
        if (stay.fromUs >= place.endUs || stay.toUs <= atUs) return [];
        return [this.#track(leg, `track-${leg.legId}`, 'said', this.#saidBy(leg), stay, place)];
      });
    }
    const leg = this.#script.legs.find(({ legId }) => legId === on)!;
    const whole = { fromUs: this.#originOf(on), toUs: this.#closeOf(on) };
    const said = this.#track(leg, `said-${on}`, 'said', this.#saidBy(leg), whole, place);
    const heard = this.#track(leg, `heard-${on}`, 'heard', this.#heard.get(on)!, whole, place);
    return [...(direction === 'listen' ? [] : [said]), ...(direction === 'speak' ? [] : [heard])];
  }

  #saidBy({ packets }: ScriptLeg): Sent[] {
    return packets
      .filter(({ payload }) => payload !== undefined)
      .map(({ atUs, slot, payload }) => ({
        ...{ atUs, streamSample: slot * slotSamples },
        ...{ samples: Int16Array.from(payload!, fromUlaw), exact: true },
      }));
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
    const shift = first ? Math.max(fromSample, sampleAt(first.atUs)) - first.streamSample : 0;
    let toSample = Math.max(fromSample, sampleAt(Math.min(endUs, stay.toUs)));
    for (const each of kept) {
      const atSample = each.streamSample + shift;
      samples.set(each.samples, atSample);
      if (!each.exact) exact.fill(0, atSample, atSample + slotSamples);
      toSample = Math.max(toSample, atSample + slotSamples);
    }
    const track = { trackId, side, legId, fromSample, toSample, samples, exact };
    this.#firstSample.set(track, first ? first.streamSample + shift : Number.POSITIVE_INFINITY);
    return track;
  }
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

function sine(frequencyHz: number, levelDbov: number, k: number): number {
  const amplitude = 32_768 * Math.SQRT2 * 10 ** (levelDbov / 20);
  return Math.round(amplitude * Math.sin(2 * Math.PI * (((k * frequencyHz) % 8000) / 8000)));
}
