import { sine } from './test-reference-sine.ts';
import { type ActionOf, type ScriptCalls, type Sent, slotSamples, slotUs } from './test-script-calls.ts';
import { throughUlaw } from './test-ulaw.ts';

const beepSlots = 20;
const tickUs = 5000;
/** So long the relay waits for the next packet before the slots go on. */
const maxIdleSlots = 25;

/**
 * What one leg of a script is sent: slots with prompts in a row and beeps over them, and what the other says where the
 * room relays it. For tests only.
 */
export class ReferenceOutput {
  readonly sent: Sent[] = [];
  /** When a recording's beep to this leg is over. */
  readonly begins = new Map<string, number>();
  readonly #legId: string;
  readonly #calls: ScriptCalls;
  readonly #prompts: ActionOf<'play'>[];
  readonly #beeps: ActionOf<'record'>[];
  readonly #relayed: Omit<Sent, 'exact'>[];
  #promptSample = 0;
  #beepSlot = 0;
  #relay: { shift: number; idleSlots: number } | undefined;
  #relayEnd = 0;

  constructor(calls: ScriptCalls, legId: string) {
    this.#legId = legId;
    this.#calls = calls;
    this.#prompts = calls.actions('play').filter((play) => play.legId === legId);
    this.#beeps = calls.beepsTo(legId);
    this.#relayed = this.#packetsOfOther();
    for (let atUs = slotUs; atUs < calls.closeOf(legId); atUs += slotUs) this.#slot(atUs);
  }

  #slot(atUs: number): void {
    const streamSample = (atUs * 8) / 1000;
    for (; this.#relayed[0] && this.#relayed[0].atUs <= atUs; this.#relayed.shift())
      this.#forward(this.#relayed[0], streamSample);
    const hearsOther = this.#hearsOther(atUs);
    if (this.#isTaken(atUs) || !hearsOther) this.#relay = undefined;
    if (this.#relay && ++this.#relay.idleSlots > maxIdleSlots) this.#relay = undefined;
    // What was relayed stands in the place of this slot.
    if (this.#relay || this.#relayEnd > streamSample) return;
    const samples = new Int16Array(slotSamples);
    this.#playPrompts(samples, atUs);
    this.#beep(samples, atUs);
    this.sent.push({ atUs, streamSample, samples: samples.map(throughUlaw), exact: !hearsOther });
  }

  /** It takes the place of the slot that would be next; those behind it keep their distance. */
  #forward({ streamSample, ...packet }: Omit<Sent, 'exact'>, slotSample: number): void {
    if (this.#isTaken(packet.atUs)) return;
    this.#relay ??= { shift: Math.max(this.#relayEnd, slotSample) - streamSample, idleSlots: 0 };
    this.#relay.idleSlots = 0;
    const at = streamSample + this.#relay.shift;
    this.sent.push({ ...packet, streamSample: at, exact: true });
    this.#relayEnd = at + slotSamples;
  }

  #playPrompts(samples: Int16Array, atUs: number): void {
    const prompts = this.#prompts;
    for (let filled = 0; filled < slotSamples && prompts[0] && prompts[0].atUs < atUs; ) {
      const part = prompts[0].samples.subarray(this.#promptSample, this.#promptSample + slotSamples - filled);
      samples.set(part, filled);
      filled += part.length;
      this.#promptSample += part.length;
      if (this.#promptSample < prompts[0].samples.length) break;
      prompts.shift();
      this.#promptSample = 0;
    }
  }

  #beep(samples: Int16Array, atUs: number): void {
    const beep = this.#beeps[0];
    if (!beep || beep.atUs >= atUs) return;
    for (let k = 0; k < slotSamples; k++) samples[k]! += sine(1400, -20, this.#beepSlot * slotSamples + k);
    if (++this.#beepSlot < beepSlots) return;
    this.begins.set(beep.recordingId, atUs + slotUs);
    this.#beeps.shift();
    this.#beepSlot = 0;
  }

  #isTaken(atUs: number): boolean {
    return [this.#prompts[0], this.#beeps[0]].some((each) => each && each.atUs < atUs);
  }

  #hearsOther(atUs: number): boolean {
    const { fromUs, toUs } = this.#calls.together();
    return fromUs < atUs && atUs < toUs;
  }

  /** Each packet at the tick that finds it. */
  #packetsOfOther(): Omit<Sent, 'exact'>[] {
    const { script } = this.#calls;
    const other = script.legs.find(({ legId }) => legId !== this.#legId);
    if (script.shape !== 'relay' || !other) return [];
    return this.#calls
      .saidBy(other)
      .filter(({ atUs }) => this.#hearsOther(atUs))
      .map((said) => ({ ...said, cameUs: said.atUs, atUs: Math.ceil(said.atUs / tickUs) * tickUs }));
  }
}
