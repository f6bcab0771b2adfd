import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type SpeechPiece, SpeechSegmenter, splitPiece, windowSamples } from './speech-segmenter.ts';
import { seededRandom } from './test-noise.ts';

const options = { onsetSamples: 1024, hangSamples: 8192 };
const [preRoll, postRoll, longest] = [4800, 3200, 320_000];

/** Sample n holds n modulo a prime, so that a piece shows where it was cut from. */
function window(at: number, length = windowSamples): Int16Array {
  return Int16Array.from({ length }, (_, i) => (at + i) % 30_011);
}

/** @param isSpeech for each window */
function segment(isSpeech: readonly boolean[]): SpeechPiece[] {
  const segmenter = new SpeechSegmenter(options);
  const pieces = isSpeech.flatMap((speaks, i) => segmenter.push(window(i * windowSamples), speaks));
  return [...pieces, ...segmenter.end()];
}

function windows(...runs: [number, boolean][]): boolean[] {
  return runs.flatMap(([count, speaks]) => Array<boolean>(count).fill(speaks));
}

function assertTakenFromAudio({ samples, startSample }: SpeechPiece): void {
  assert.deepEqual(samples, window(startSample, samples.length));
}

describe('Pieces of speech', () => {
  test('begin 0.3 s before it and end 0.2 s behind it, as it was recorded', () => {
    const [piece, ...more] = segment(windows([40, false], [50, true], [20, false]));
    assert.deepEqual(more, []);
    const told = 41 * windowSamples;
    assert.equal(piece?.speechFrom, told - options.onsetSamples);
    assert.equal(piece?.startSample, told - options.onsetSamples - preRoll);
    assert.equal(piece?.speechTo, 91 * windowSamples - options.hangSamples);
    assert.equal(piece!.startSample + piece!.samples.length, piece!.speechTo + postRoll);
    assertTakenFromAudio(piece!);
  });

  test('at the very beginning and end have what is there', () => {
    const [piece] = segment(windows([30, true]));
    assert.equal(piece?.startSample, 0);
    assert.equal(piece?.samples.length, 30 * windowSamples);
    assert.deepEqual(segment([]), []);
  });

  test('never hold the same audio twice, however short the pause between', () => {
    const [first, second] = segment(windows([40, false], [40, true], [1, false], [40, true], [1, false]));
    assert.ok(second!.startSample >= first!.startSample + first!.samples.length);
    assert.ok(second!.speechFrom >= first!.speechTo);
  });

  test('are at most 20 s long and lose nothing, if nobody pauses', () => {
    const pieces = segment(windows([2400, true]));
    assert.ok(pieces.length >= 4);
    let at = 0;
    for (const piece of pieces) {
      assert.ok(piece.samples.length <= longest, String(piece.samples.length));
      assert.equal(piece.startSample, at);
      assertTakenFromAudio(piece);
      at += piece.samples.length;
    }
    assert.equal(at, 2400 * windowSamples);
  });

  test('lie in order within the audio, whatever the detector says', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 50; round++) {
      const flips = Array.from({ length: 40 }, () => Math.floor(random() ** 3 * 300) + 1);
      const speech = flips.flatMap((count, i) => Array<boolean>(count).fill(i % 2 === round % 2));
      let end = 0;
      for (const piece of segment(speech)) {
        assert.ok(piece.startSample >= end);
        assert.ok(piece.samples.length <= longest);
        assert.ok(piece.speechFrom >= piece.startSample && piece.speechTo > piece.speechFrom);
        end = piece.startSample + piece.samples.length;
        assert.ok(piece.speechTo <= end && end <= speech.length * windowSamples);
        assertTakenFromAudio(piece);
      }
    }
  });

  test('are split without a sample lost', () => {
    const [piece] = segment(windows([40, false], [100, true], [20, false]));
    const [first, second] = splitPiece(piece!);
    assert.deepEqual([...first.samples, ...second.samples], [...piece!.samples]);
    assert.equal(second.startSample, first.startSample + first.samples.length);
    assert.equal(first.speechTo, second.speechFrom);
    const share = first.samples.length / piece!.samples.length;
    assert.ok(share >= 0.3 && share <= 0.7, String(share));
  });
});
