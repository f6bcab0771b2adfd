import type { RecorderOptions } from '../media/recorder-options.ts';
import { type PauseBehaviour, pauseBehaviours } from '../spool/records.ts';
import { ulawOf } from './test-ulaw.ts';

/** What happens at a moment, in microseconds from the first slot. */
export type ScriptAction = { atUs: number } & (
  | { kind: 'record'; recordingId: string; on: string; options: RecorderOptions }
  | { kind: 'pause'; recordingId: string; behaviour: PauseBehaviour; scope: 'recording' | 'call' }
  | { kind: 'resume' | 'stop'; recordingId: string }
  | { kind: 'join' | 'leave' | 'close'; legId: string }
  | { kind: 'closeRoom' }
  | { kind: 'play'; legId: string; samples: Int16Array }
);

/** A packet of 20 ms, or a key press in place of five. */
export interface ScriptPacket {
  atUs: number;
  slot: number;
  payload?: Uint8Array;
  digit?: string;
}

export interface ScriptLeg {
  legId: string;
  toneHz: number;
  packets: ScriptPacket[];
}

/** One or two calls, what is said and played, and what recordings of them are told. For tests only. */
export interface RecordingScript {
  seed: number;
  shape: 'alone' | 'mix' | 'relay';
  slots: number;
  legs: ScriptLeg[];
  actions: ScriptAction[];
}

export const roomOfScript = 'room';
const tickUs = 5000;
const slotTicks = 4;
/** Within its tick of 5 ms what is commanded comes before what is sent. */
const lastCommandUs = 900;

/** Repeatable: the same seed gives the same script. */
export function recordingScript(seed: number): RecordingScript {
  const random = new Random(seed);
  const shape = random.pick(['alone', 'mix', 'relay'] as const);
  const slots = random.integer(60, 100);
  const legs = (shape === 'alone' ? ['a'] : ['a', 'b']).map((legId) =>
    scriptLeg(random, legId, shape, slots),
  );
  const actions: ScriptAction[] = [];
  const momentIn = (fromSlot: number, toSlot: number): number =>
    random.integer(fromSlot * slotTicks, toSlot * slotTicks - 1) * tickUs + random.integer(1, lastCommandUs);
  for (const { legId } of legs) {
    for (let plays = random.integer(0, 3); plays > 0; plays--)
      actions.push({ kind: 'play', atUs: momentIn(0, slots), legId, samples: promptOf(random) });
    if (shape !== 'alone') {
      const joinUs = momentIn(0, 20);
      actions.push({ kind: 'join', atUs: joinUs, legId });
      if (random.chance(0.4)) actions.push({ kind: 'leave', atUs: momentIn(30, slots), legId });
    }
  }
  const rooms = [...legs.map(({ legId }) => legId), ...(shape === 'alone' ? [] : [roomOfScript])];
  let holds = false;
  for (let count = random.integer(1, 3), n = 0; n < count; n++) {
    const recordingId = `r${n}`;
    const on = random.pick(rooms);
    actions.push(...recordingActions({ random, recordingId, on, momentIn, slots, mayHold: !holds }));
    holds ||= actions.some((action) => action.kind === 'pause' && action.scope === 'call');
  }
  const endUs = Math.max(slots * slotTicks * tickUs, ...actions.map(({ atUs }) => atUs));
  for (const [index, { legId }] of legs.entries())
    actions.push({ kind: 'close', atUs: endUs + (index + 1) * tickUs, legId });
  actions.push({ kind: 'closeRoom', atUs: endUs + 4 * tickUs });
  actions.sort((a, b) => a.atUs - b.atUs);
  return { seed, shape, slots: Math.ceil(endUs / (slotTicks * tickUs)) + 2, legs, actions };
}

interface RecordingActions {
  random: Random;
  recordingId: string;
  on: string;
  momentIn(fromSlot: number, toSlot: number): number;
  slots: number;
  /** One pause of the calls in a script. */
  mayHold: boolean;
}

function recordingActions({
  random,
  recordingId,
  on,
  momentIn,
  slots,
  mayHold,
}: RecordingActions): ScriptAction[] {
  const startUs = momentIn(0, 30);
  const actions: ScriptAction[] = [
    { kind: 'record', atUs: startUs, recordingId, on, options: optionsOf(random) },
  ];
  let atUs = startUs;
  let holds = !mayHold;
  for (let pauses = random.integer(0, 2); pauses > 0; pauses--) {
    const pauseUs = Math.max(atUs + tickUs, momentIn(5, slots));
    const scope = !holds && random.chance(0.35) ? 'call' : 'recording';
    holds ||= scope === 'call';
    const behaviour = random.pick(pauseBehaviours);
    actions.push({ kind: 'pause', atUs: pauseUs, recordingId, scope, behaviour });
    atUs = pauseUs + random.integer(1, 30 * slotTicks) * tickUs;
    if (random.chance(0.8)) actions.push({ kind: 'resume', atUs, recordingId });
  }
  if (random.chance(0.7))
    actions.push({ kind: 'stop', atUs: Math.max(atUs + tickUs, momentIn(30, slots)), recordingId });
  return actions;
}

function optionsOf(random: Random): RecorderOptions {
  return {
    ...(random.chance(0.4) && { direction: random.pick(['speak', 'listen', 'both'] as const) }),
    ...(random.chance(0.3) && { maxLengthMs: random.integer(1, 1200) }),
    ...(random.chance(0.4) && { terminators: random.pick(['#', '*5', '#5']) }),
    ...(random.chance(0.25) && { beep: true }),
  };
}

function scriptLeg(random: Random, legId: string, shape: RecordingScript['shape'], slots: number): ScriptLeg {
  const toneHz = legId === 'a' ? 500 : 900;
  const phase = random.integer(0, slotTicks - 1);
  const packets: ScriptPacket[] = [];
  for (let slot = 0; slot < slots; ) {
    const talks = random.chance(0.75);
    const to = Math.min(slots, slot + random.integer(1, talks ? 40 : 15));
    for (; slot < to; slot++) {
      if (!talks) continue;
      const atUs = (slot * slotTicks + phase) * tickUs + 1000 + random.integer(0, 3900);
      const payload = shape === 'mix' ? toneFrame(toneHz, slot) : noiseFrame(random);
      packets.push({ atUs, slot, payload });
    }
    if (shape !== 'relay' && random.chance(0.2) && slot + 8 < slots) {
      const atUs = (slot * slotTicks + phase) * tickUs + 1000;
      packets.push({ atUs, slot, digit: random.pick(['#', '5', '1']) });
      slot += 5;
    }
  }
  return { legId, toneHz, packets };
}

/** Any codes below a quarter of full scale. */
function noiseFrame(random: Random): Uint8Array {
  return Uint8Array.from(
    { length: 160 },
    () => (random.integer(0, 0x4f) ^ 0x7f) | (random.integer(0, 1) << 7),
  );
}

function toneFrame(toneHz: number, slot: number): Uint8Array {
  return Uint8Array.from({ length: 160 }, (_, k) =>
    ulawOf(Math.round(4000 * Math.sin((2 * Math.PI * toneHz * (slot * 160 + k)) / 8000))),
  );
}

function promptOf(random: Random): Int16Array {
  return Int16Array.from({ length: random.integer(1, 6400) }, () => random.integer(-3000, 3000));
}

/** Mulberry32. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.#next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
