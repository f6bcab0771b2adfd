import { readFile } from 'node:fs/promises';
import { decodeUlaw, encodeUlaw } from '../src/codec/g711.ts';
import { readLineAudio } from '../src/testkit/audio-file.ts';

/** Somebody reads a prompt in a call. */
export interface Turn {
  prompt: string;
  text: string;
  fromSample: number;
  toSample: number;
}

export interface PromptCall {
  /** Of both parties, as long as each other, after G.711. */
  channels: { samples: Int16Array; turns: Turn[] }[];
  durationSeconds: number;
}

export const promptRateHz = 8000;
const folder = '/usr/share/asterisk/sounds/en_US_f_Allison';
const callSeconds = 300;
/** Of a call, while both speak as much as each other: 34 % a channel. */
const talkOfCall = 0.68;
const leastPauseSamples = 0.5 * promptRateHz;
/** One turn among so many begins while the other party still speaks. */
const overlapEvery = 6;
const overlapOfTurn = 0.3;
/** Both have spoken as much as each other when a call ends. */
const evenWithin = 0.08;

type Spoken = Pick<Turn, 'prompt' | 'text'> & { at: number; samples: Int16Array };

/** Every prompt of the list, in its order, as calls of some five minutes in which two parties take turns. */
export async function promptCalls(count = Number.POSITIVE_INFINITY): Promise<PromptCall[]> {
  const list = await readFile(new URL('./data/prompts.tsv', import.meta.url), 'utf8');
  const prompts = list.trimEnd().split('\n').slice(0, count);
  const calls: PromptCall[] = [];
  let call = new CallLayout();
  for (const [index, line] of prompts.entries()) {
    const [prompt = '', text = ''] = line.split('\t');
    call.add(prompt, text, await readLineAudio(`${folder}/${prompt}.wav`));
    const isLast = index === prompts.length - 1;
    if (!isLast && !call.isComplete) continue;
    calls.push(call.end());
    call = new CallLayout();
  }
  return calls;
}

/** Who has spoken less speaks next, when there was enough silence for what was spoken. */
class CallLayout {
  readonly #parties: [Spoken[], Spoken[]] = [[], []];
  readonly #talk: [number, number] = [0, 0];
  #turns = 0;
  #end = promptRateHz;

  add(prompt: string, text: string, samples: Int16Array): void {
    const party = this.#talk[0] <= this.#talk[1] ? 0 : 1;
    const turns = this.#parties[party];
    const before = turns.at(-1);
    const last = this.#parties[1 - party]!.at(-1);
    const free = before ? before.at + before.samples.length + promptRateHz : promptRateHz;
    const isOverlapping = ++this.#turns % overlapEvery === 0 && last !== undefined;
    const usual = Math.max(this.#end + leastPauseSamples, (this.#talk[0] + this.#talk[1]) / talkOfCall);
    const wanted = isOverlapping ? last.at + (1 - overlapOfTurn) * last.samples.length : usual;
    const at = Math.round(Math.max(free, wanted));
    turns.push({ prompt, text, at, samples });
    this.#talk[party] += samples.length;
    this.#end = Math.max(this.#end, at + samples.length);
  }

  get isComplete(): boolean {
    const [a, b] = this.#talk;
    return this.#end > callSeconds * promptRateHz && Math.abs(a - b) < evenWithin * (a + b);
  }

  end(): PromptCall {
    const talk = this.#talk[0] + this.#talk[1];
    const length = Math.round(Math.max(this.#end + promptRateHz, talk / talkOfCall));
    return {
      durationSeconds: length / promptRateHz,
      channels: this.#parties.map((turns) => channelOf(turns, length)),
    };
  }
}

function channelOf(turns: readonly Spoken[], length: number): PromptCall['channels'][number] {
  const samples = new Int16Array(length);
  for (const turn of turns) samples.set(turn.samples, turn.at);
  const line = new Uint8Array(length);
  encodeUlaw(samples, line);
  decodeUlaw(line, samples);
  return {
    samples,
    turns: turns.map(({ prompt, text, at, samples: spoken }) => ({
      prompt,
      text,
      fromSample: at,
      toSample: at + spoken.length,
    })),
  };
}
