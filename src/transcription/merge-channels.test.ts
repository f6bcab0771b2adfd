import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mergeChannels } from './merge-channels.ts';
import { sinchTranscript } from './sinch-transcript.ts';
import type { ChannelSpeech } from './speech-to-text.ts';
import { transcriptLines } from './transcript-lines.ts';

/** @param spoken seconds from, seconds to, text */
function speechOf(rateHz: number, ...spoken: [number, number, string][]): ChannelSpeech {
  return {
    durationSamples: 60 * rateHz,
    utterances: spoken.map(([from, to, text]) => ({
      fromSample: from * rateHz,
      toSample: to * rateHz,
      text,
    })),
    unrecognized: [],
  };
}

const wish = { locale: 'en-US', engine: 'embedded moonshine', rateHz: 8000 };

describe('Channels by time', () => {
  test('speakers are numbered by their legs, not by who spoke first', () => {
    const transcript = mergeChannels(
      [
        { id: 'caller', speech: speechOf(8000, [5, 6, 'Hello.']), rateHz: 8000, startSample: 0 },
        { id: 'called', speech: speechOf(8000, [1, 2, 'Good morning.']), rateHz: 8000, startSample: 0 },
      ],
      wish,
    );
    assert.deepEqual(
      transcriptLines(transcript).map(({ channel, text }) => [channel, text]),
      [
        [1, 'Good morning.'],
        [0, 'Hello.'],
      ],
    );
    assert.deepEqual(
      transcript.channels.map(({ speakerLabel, id }) => [speakerLabel, id]),
      [
        ['Speaker 1', 'caller'],
        ['Speaker 2', 'called'],
      ],
    );
  });

  test('who speaks at the same time stays apart', () => {
    const transcript = mergeChannels(
      [
        { id: 'a', speech: speechOf(8000, [1, 9, 'a long sentence']), rateHz: 8000, startSample: 0 },
        { id: 'b', speech: speechOf(8000, [1, 2, 'yes'], [2.5, 3, 'no']), rateHz: 8000, startSample: 0 },
      ],
      wish,
    );
    assert.deepEqual(
      transcriptLines(transcript).map(({ channel, text }) => [channel, text]),
      [
        [0, 'a long sentence'],
        [1, 'yes no'],
      ],
    );
  });

  test('less than 0.8 s, with nobody between, is one line', () => {
    const one = mergeChannels(
      [
        {
          id: 'a',
          speech: speechOf(8000, [1, 2, 'one'], [2.7, 3, 'two'], [3.9, 4, 'three'], [4.5, 5, 'four']),
          rateHz: 8000,
          startSample: 0,
        },
        { id: 'b', speech: speechOf(8000, [4.1, 4.2, 'mhm']), rateHz: 8000, startSample: 0 },
      ],
      wish,
    );
    assert.deepEqual(
      transcriptLines(one).map(({ text }) => text),
      ['one two', 'three', 'mhm', 'four'],
    );
  });

  test('a channel of another rate, that begins later, lies where it was heard, with its words and gaps', () => {
    const speech: ChannelSpeech = {
      durationSamples: 16_000,
      utterances: [
        {
          fromSample: 1600,
          toSample: 3200,
          text: 'hi',
          words: [{ fromSample: 1600, toSample: 3200, text: 'hi' }],
        },
      ],
      unrecognized: [{ fromSample: 8000, toSample: 16_000 }],
    };
    const transcript = mergeChannels([{ id: 'late', speech, rateHz: 16_000, startSample: 80_000 }], {
      ...wish,
      marks: [{ kind: 'pause', fromSample: 90_000, toSample: 95_000 }],
    });
    const span = { fromSample: 80_800, toSample: 81_600, text: 'hi' };
    assert.deepEqual(transcript.utterances, [{ ...span, channel: 0, words: [span] }]);
    assert.equal(transcript.durationSamples, 88_000);
    assert.deepEqual(transcript.marks, [
      { kind: 'unrecognized', channel: 0, fromSample: 84_000, toSample: 88_000 },
      { kind: 'pause', fromSample: 90_000, toSample: 95_000 },
    ]);
  });
});

describe("Sinch's file", () => {
  test('has text and lines, and nothing else', () => {
    const channels = [
      { id: 'a', speech: speechOf(8000, [4.97, 6, 'Lorem ipsum dolor.']), rateHz: 8000, startSample: 0 },
      { id: 'b', speech: speechOf(8000, [5.6, 9, 'Duis aute irure.']), rateHz: 8000, startSample: 0 },
    ];
    assert.deepEqual(sinchTranscript(mergeChannels(channels, wish)), {
      text: 'Lorem ipsum dolor. Duis aute irure.',
      lines: [
        { timestamp: 4.97, speakerLabel: 'Speaker 1', text: 'Lorem ipsum dolor.' },
        { timestamp: 5.6, speakerLabel: 'Speaker 2', text: 'Duis aute irure.' },
      ],
    });
  });

  test('of a call without a word is empty', () => {
    const channels = [{ id: 'a', speech: speechOf(8000), rateHz: 8000, startSample: 0 }];
    assert.deepEqual(sinchTranscript(mergeChannels(channels, wish)), { text: '', lines: [] });
  });
});
