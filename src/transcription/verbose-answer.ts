import { z } from 'zod';
import type { Recognition } from './recognize-piece.ts';
import { recognizerRateHz } from './speech-segmenter.ts';
import type { SpokenWord } from './spoken-text.ts';

/** What servers of this interface are seen to answer: OpenAI's own, and those that know only `text`. */
const seconds = z.number().min(0).max(86_400);
const maxWordCharacters = 1000;
const answerSchema = z.object({
  text: z.string(),
  language: z.string().max(100).nullish().catch(undefined),
  segments: z
    .array(
      z.object({
        start: seconds,
        end: seconds,
        text: z.string(),
        avg_logprob: z.number().nullish().catch(undefined),
      }),
    )
    .max(1000)
    .nullish()
    .catch(undefined),
  words: z
    .array(
      z.object({
        word: z.string().max(maxWordCharacters),
        start: seconds,
        end: seconds,
        probability: z.number().min(0).max(1).nullish().catch(undefined),
      }),
    )
    .max(5000)
    .nullish()
    .catch(undefined),
});

export interface ServerAnswer {
  recognition: Recognition;
  /** What the server says it heard. */
  language: string | undefined;
}

/** undefined when it is no answer of this interface. Times come of words, else of segments, else of the piece. */
export function parseAnswer(body: string): ServerAnswer | undefined {
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { text, language, segments, words } = parsed.data;
  const spoken = (words ?? []).map(
    ({ word, start, end, probability }): SpokenWord => ({
      text: word.trim(),
      fromSample: inSamples(start),
      toSample: inSamples(Math.max(start, end)),
      ...(typeof probability === 'number' ? { confidence: probability } : {}),
    }),
  );
  const parts = segments?.some((segment) => segment.text.trim() !== '')
    ? segments.map((segment) => segmentPart(segment, spoken))
    : [{ text, ...spanOf(spoken), ...(spoken.length > 0 ? { words: spoken } : {}) }];
  return { recognition: { text, parts }, language: language ?? undefined };
}

type Segment = { start: number; end: number; text: string; avg_logprob?: number | null | undefined };

function segmentPart(segment: Segment, words: readonly SpokenWord[]): Recognition['parts'][number] {
  const [fromSample, toSample] = [inSamples(segment.start), inSamples(Math.max(segment.start, segment.end))];
  const own = words.filter((word) => {
    const middle = (word.fromSample + word.toSample) / 2;
    return middle >= fromSample && middle < toSample;
  });
  return {
    text: segment.text,
    fromSample,
    toSample,
    ...spanOf(own),
    ...(own.length > 0 ? { words: own } : {}),
    ...(typeof segment.avg_logprob === 'number'
      ? { confidence: Math.min(1, Math.exp(segment.avg_logprob)) }
      : {}),
  };
}

function spanOf(words: readonly SpokenWord[]): { fromSample?: number; toSample?: number } {
  const [first, last] = [words[0], words.at(-1)];
  return first && last ? { fromSample: first.fromSample, toSample: last.toSample } : {};
}

function inSamples(at: number): number {
  return Math.round(at * recognizerRateHz);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
