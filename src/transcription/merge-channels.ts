import type { ChannelSpeech } from './speech-to-text.ts';
import type { TextSpan } from './spoken-text.ts';
import type { Transcript, TranscriptMark, Utterance } from './transcript.ts';

/** One party: its audio is a channel of its own, so who speaks is certain. */
export interface ChannelToMerge {
  /** Kept as it is: a channel id. */
  id: string;
  speech: ChannelSpeech;
  /** Of the positions in `speech`. */
  rateHz: number;
  /** Where the channel begins on the recording's clock, in samples of the transcript's rate. */
  startSample: number;
}

export interface MergeWish {
  locale: string;
  engine: string;
  /** Of all positions in the transcript, and of `marks`. */
  rateHz: number;
  /** On the recording's clock. */
  marks?: readonly TranscriptMark[];
}

/** Channels in the order of their legs, the caller first, by time. Overlapping speech stays apart. */
export function mergeChannels(channels: readonly ChannelToMerge[], wish: MergeWish): Transcript {
  const { locale, engine, rateHz, marks = [] } = wish;
  const utterances: Utterance[] = [];
  const unrecognized: TranscriptMark[] = [];
  let durationSamples = 0;
  channels.forEach(({ speech, rateHz: fromHz, startSample }, channel) => {
    const scaled = (sample: number) => Math.round((sample * rateHz) / fromHz);
    const placed = <Span extends TextSpan>(span: Span): Span => ({
      ...span,
      fromSample: startSample + scaled(span.fromSample),
      toSample: startSample + scaled(span.toSample),
    });
    for (const utterance of speech.utterances)
      utterances.push({
        ...placed(utterance),
        ...(utterance.words ? { words: utterance.words.map(placed) } : {}),
        channel,
      });
    for (const span of speech.unrecognized)
      unrecognized.push({ ...placed(span), kind: 'unrecognized', channel });
    durationSamples = Math.max(durationSamples, startSample + scaled(speech.durationSamples));
  });
  return {
    version: 1,
    locale,
    engine,
    rateHz,
    durationSamples,
    channels: channels.map(({ id, startSample }, channel) => ({
      speakerLabel: `Speaker ${channel + 1}`,
      id,
      startSample,
    })),
    utterances: utterances.sort((a, b) => a.fromSample - b.fromSample || a.channel - b.channel),
    marks: [...marks, ...unrecognized].sort((a, b) => a.fromSample - b.fromSample),
  };
}
