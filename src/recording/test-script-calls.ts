import {
  type RecordingScript,
  roomOfScript,
  type ScriptAction,
  type ScriptLeg,
} from './test-recording-script.ts';
import { fromUlaw } from './test-ulaw.ts';

export interface Interval {
  fromUs: number;
  toUs: number;
}

export type ActionOf<K extends ScriptAction['kind']> = ScriptAction & { kind: K };

/** 20 ms of a leg's stream, one way or the other. */
export interface Sent {
  atUs: number;
  /** When what is in it came, if that was before. */
  cameUs?: number;
  /** By the stream's own clock, in samples. */
  streamSample: number;
  samples: Int16Array;
  exact: boolean;
}

export const slotSamples = 160;
export const slotUs = 20_000;
/** By docs/recording.md, what comes behind a pause of the call. */
const newStreamUs = 1_000_000;
const settlingUs = 40_000;

/** Who of a script is where, and when. For tests only. */
export class ScriptCalls {
  readonly script: RecordingScript;
  readonly stays: ReadonlyMap<string, Interval>;
  /** Within them what a leg says goes nowhere. */
  readonly #unheard = new Map<string, Interval>();

  constructor(script: RecordingScript) {
    this.script = script;
    this.stays = new Map(script.legs.map(({ legId }) => [legId, this.#stayOf(legId)]));
  }

  actions<K extends ScriptAction['kind']>(kind: K): ActionOf<K>[] {
    return this.script.actions.filter((action): action is ActionOf<K> => action.kind === kind);
  }

  closeOf(legId: string): number {
    return this.#of('close', legId) ?? Number.POSITIVE_INFINITY;
  }

  isIn(legId: string, atUs: number): boolean {
    const { fromUs, toUs } = this.stays.get(legId)!;
    return fromUs < atUs && atUs < toUs;
  }

  /** While both are in the room. */
  together(): Interval {
    const stays = [...this.stays.values()];
    if (stays.length < 2) return { fromUs: 0, toUs: 0 };
    return {
      fromUs: Math.max(...stays.map(({ fromUs }) => fromUs)),
      toUs: Math.min(...stays.map(({ toUs }) => toUs)),
    };
  }

  /** Of a call, or of those in the room: whose recording begins behind a beep to them. */
  beepsTo(legId: string): ActionOf<'record'>[] {
    return this.actions('record').filter(
      ({ on, atUs, options }) =>
        options.beep === true && (on === legId || (on === roomOfScript && this.isIn(legId, atUs))),
    );
  }

  /** The call is recorded again: of a stream that is too new by then it cannot be told when it was said. */
  resumed({ legId, packets }: ScriptLeg, atUs: number): void {
    const firstUs = packets.find(({ payload }) => payload !== undefined)?.atUs ?? Number.POSITIVE_INFINITY;
    if (firstUs > atUs + newStreamUs) return;
    this.#unheard.set(legId, { fromUs: atUs, toUs: firstUs + settlingUs });
  }

  saidBy({ legId, packets }: ScriptLeg): Sent[] {
    const { fromUs, toUs } = this.#unheard.get(legId) ?? { fromUs: 0, toUs: 0 };
    return packets
      .filter(({ atUs, payload }) => payload !== undefined && (atUs < fromUs || atUs >= toUs))
      .map(({ atUs, slot, payload }) => ({
        ...{ atUs, streamSample: slot * slotSamples },
        ...{ samples: Int16Array.from(payload!, fromUlaw), exact: true },
      }));
  }

  #of(kind: 'join' | 'leave' | 'close', legId: string): number | undefined {
    return this.script.actions.find((action) => action.kind === kind && action.legId === legId)?.atUs;
  }

  #stayOf(legId: string): Interval {
    const fromUs = this.#of('join', legId) ?? Number.POSITIVE_INFINITY;
    const leftUs = this.#of('leave', legId) ?? Number.POSITIVE_INFINITY;
    return { fromUs, toUs: Math.min(leftUs, this.closeOf(legId)) };
  }
}
