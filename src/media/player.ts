import { CallreelError } from '../errors.ts';
import { type AudioRateHz, audioRatesHz } from './codec-table.ts';
import {
  maxPromptSamples,
  maxQueuedPrompts,
  type PlayEnd,
  type PlayStart,
  type WorkerEvent,
} from './control.ts';
import { Prompt } from './prompt.ts';

/** @param playedMs as `play.ended` */
export type PlayListener = (reason: PlayEnd, playedMs: number) => void;

/** Plays one leg's prompts, one behind the other, slot by slot. */
export class Player {
  readonly #legId: string;
  readonly #post: (event: WorkerEvent) => void;
  /** The first one plays. */
  readonly #prompts: Prompt[] = [];
  /** Whom the end of a prompt is told, where that is not the server. */
  #listeners: Map<string, PlayListener> | undefined;
  #rateHz: AudioRateHz = audioRatesHz[0];

  constructor(legId: string, post: (event: WorkerEvent) => void) {
    this.#legId = legId;
    this.#post = post;
  }

  /** What the prompt that plays leaves of the room's audio; undefined while nothing plays. */
  get overRoom(): 'mix' | 'replace' | undefined {
    return this.#prompts[0]?.overRoom;
  }

  /** The rate that `play` gives; a prompt that plays goes on where it was. */
  setRate(rateHz: AudioRateHz): void {
    this.#rateHz = rateHz;
    for (const prompt of this.#prompts) prompt.setRate(rateHz);
  }

  /**
   * @param ended told in place of `play.ended`; such a prompt waits for no loop
   * @throws CallreelError CONFLICT for an id that waits or plays, REQUEST_INVALID when too much would wait
   */
  start(command: PlayStart, ended?: PlayListener): void {
    const { playId, samples } = command;
    if (this.#prompts.some((prompt) => prompt.playId === playId))
      throw new CallreelError('CONFLICT', 'the prompt plays already', { where: playId });
    const waitingSamples = this.#prompts.reduce((sum, { length }) => sum + length, samples.length);
    if (waitingSamples > maxPromptSamples || this.#prompts.length === maxQueuedPrompts)
      throw new CallreelError('REQUEST_INVALID', 'too much audio waits to be played', { where: playId });
    const prompt = new Prompt(command, this.#rateHz);
    const loop = ended ? this.#prompts.findIndex(({ loops }) => loops) : -1;
    this.#prompts.splice(loop < 0 ? this.#prompts.length : loop, 0, prompt);
    if (ended) (this.#listeners ??= new Map()).set(playId, ended);
  }

  /** How much the leg was sent of one that waits or plays. */
  playedMs(playId: string): number {
    return Math.round(this.#prompts.find((prompt) => prompt.playId === playId)?.sentMs ?? 0);
  }

  stop(playId: string): void {
    const index = this.#prompts.findIndex((prompt) => prompt.playId === playId);
    if (index >= 0) this.#end(index, 'stopped');
  }

  close(): void {
    while (this.#prompts.length > 0) this.#end(0, 'leg-closed');
  }

  /**
   * The next slot: to the sample without a gap between two prompts, silence behind the last.
   * @param sent whether the leg is sent it
   */
  play(out: Int16Array, sent: boolean): void {
    let filled = 0;
    for (let prompt = this.#prompts[0]; prompt && filled < out.length; prompt = this.#prompts[0]) {
      const to = prompt.read(out, filled);
      if (sent) prompt.sentMs += ((to - filled) * 1000) / this.#rateHz;
      filled = to;
      if (!prompt.ended) break;
      this.#end(0, 'finished');
    }
    out.fill(0, filled);
  }

  #end(index: number, reason: PlayEnd): void {
    const [{ playId, sentMs }] = this.#prompts.splice(index, 1) as [Prompt];
    const playedMs = Math.round(sentMs);
    const listener = this.#listeners?.get(playId);
    this.#listeners?.delete(playId);
    if (listener) listener(reason, playedMs);
    else this.#post({ event: 'play.ended', legId: this.#legId, playId, reason, playedMs });
  }
}
