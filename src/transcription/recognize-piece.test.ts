import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Recognition, recognizePiece } from './recognize-piece.ts';
import type { SpeechPiece } from './speech-segmenter.ts';
import { noise } from './test-noise.ts';

function pieceOf(seconds: number): SpeechPiece {
  const samples = noise({ samples: seconds * 16_000, seed: 3 });
  return {
    samples: samples as Int16Array<ArrayBuffer>,
    startSample: 32_000,
    speechFrom: 36_800,
    speechTo: 32_000 + samples.length - 3200,
  };
}

/** Says what `text` makes of a piece of so many seconds. */
function recognizer(text: (seconds: number) => string) {
  const heardSeconds: number[] = [];
  return {
    heardSeconds,
    recognize: async (samples: Int16Array): Promise<Recognition> => {
      heardSeconds.push(samples.length / 16_000);
      const said = text(samples.length / 16_000);
      return { text: said, parts: [{ text: said }] };
    },
  };
}

describe('A piece', () => {
  test('whose text can be right is one utterance where the speech is', async () => {
    const { utterances, unrecognized } = await recognizePiece(
      pieceOf(4),
      recognizer(() => ' Good morning. '),
    );
    assert.deepEqual(utterances, [{ fromSample: 36_800, toSample: 92_800, text: 'Good morning.' }]);
    assert.deepEqual(unrecognized, []);
  });

  test('without text is asked for in halves, in order', async () => {
    const engine = recognizer((seconds) => (seconds > 3 ? '' : `${seconds.toFixed(3)} s`));
    const { utterances } = await recognizePiece(pieceOf(4), engine);
    assert.equal(utterances.length, 2);
    assert.equal(utterances[0]!.toSample, utterances[1]!.fromSample);
    assert.ok(utterances[0]!.fromSample < utterances[1]!.fromSample);
    assert.equal(engine.heardSeconds.length, 3);
  });

  test('is judged by its parts, whatever is said of the whole', async () => {
    const parts = [{ text: ' you '.repeat(20) }];
    const { utterances } = await recognizePiece(pieceOf(4), {
      recognize: async () => ({ text: 'Good morning.', parts }),
    });
    assert.deepEqual(utterances, []);
  });

  for (const [what, text] of [
    ['without text', ''],
    ['with text that repeats itself', 'you are '.repeat(9)],
    ['with more text than anybody can speak', 'abcdefghij klmnopqrst uvwxyz '.repeat(30).slice(0, 700)],
  ] as const)
    test(`${what} however it is split is said to be unrecognized, and nothing is made up`, async () => {
      const engine = recognizer(() => text);
      const { utterances, unrecognized } = await recognizePiece(pieceOf(20), engine);
      assert.deepEqual(utterances, []);
      assert.ok(engine.heardSeconds.length <= 15, String(engine.heardSeconds.length));
      assert.equal(unrecognized[0]!.fromSample, 36_800);
      assert.equal(unrecognized.at(-1)!.toSample, 32_000 + 20 * 16_000 - 3200);
    });

  test('of less than 2 s is asked for once', async () => {
    const engine = recognizer(() => '');
    await recognizePiece(pieceOf(1.5), engine);
    assert.deepEqual(engine.heardSeconds, [1.5]);
  });

  test("with an engine's own times has them on the channel's, within the piece", async () => {
    const { utterances } = await recognizePiece(pieceOf(4), {
      recognize: async () => ({
        text: 'one two three',
        parts: [
          { text: 'one', fromSample: 8000, toSample: 16_000, confidence: 0.9 },
          { text: ' ', fromSample: 16_000, toSample: 17_000 },
          {
            text: 'two three',
            fromSample: 15_000,
            toSample: 999_999,
            words: [
              { text: 'two', fromSample: 15_000, toSample: 20_000 },
              { text: 'three', fromSample: -5, toSample: 999_999 },
            ],
          },
        ],
      }),
    });
    assert.deepEqual(utterances, [
      { fromSample: 40_000, toSample: 48_000, text: 'one', confidence: 0.9 },
      {
        fromSample: 48_000,
        toSample: 96_000,
        text: 'two three',
        words: [
          { text: 'two', fromSample: 47_000, toSample: 52_000 },
          { text: 'three', fromSample: 32_000, toSample: 96_000 },
        ],
      },
    ]);
  });
});
