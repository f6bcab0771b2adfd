import { readFile } from 'node:fs/promises';
import { decodeUlaw, encodeUlaw } from '../src/codec/g711.ts';
import { readLineAudio } from '../src/testkit/audio-file.ts';
import { seededRandom } from '../src/testkit/random.ts';

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
/** Of a turn's length, between its end and the next turn: 30 to 40 % of each channel is speech then. */
const pauseOfTurn = 0.55;
/** One turn among so many begins while the other party still speaks. */
const overlapEvery = 6;
const overlapOfTurn = 0.3;

/** Every prompt of the list, in its order, as calls of five minutes in which two parties take turns. */
export async function promptCalls(count = Number.POSITIVE_INFINITY): Promise<PromptCall[]> {
  const list = await readFile(new URL('./data/prompts.tsv', import.meta.url), 'utf8');
  const prompts = list
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]);
  const random = seededRandom(8);
  const calls: PromptCall[] = [];
  let parties: { prompt: string; text: string; at: number; samples: Int16Array }[][] = [[], []];
  let at = promptRateHz;
  const end = () => {
    const length = at + promptRateHz;
    calls.push({
      durationSeconds: length / promptRateHz,
      channels: parties.map((turns) => channelOf(turns, length)),
    });
    [parties, at] = [[[], []], promptRateHz];
  };
  for (const [index, [prompt, text]] of prompts.slice(0, count).entries()) {
    const samples = await readLineAudio(`${folder}/${prompt}.wav`);
    const turns = parties[index % 2]!;
    const before = turns.at(-1);
    if (before) at = Math.max(at, before.at + before.samples.length + promptRateHz);
    turns.push({ prompt, text, at, samples });
    const next =
      index % overlapEvery === overlapEvery - 1
        ? 1 - overlapOfTurn
        : 1 + pauseOfTurn * (0.5 + random()) + promptRateHz / 2 / samples.length;
    at += Math.round(next * samples.length);
    if (at > callSeconds * promptRateHz) {
      at += samples.length;
      end();
    }
  }
  if (parties[0]!.length > 0) {
    at += 10 * promptRateHz;
    end();
  }
  return calls;
}

function channelOf(
  turns: readonly { prompt: string; text: string; at: number; samples: Int16Array }[],
  length: number,
): PromptCall['channels'][number] {
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
