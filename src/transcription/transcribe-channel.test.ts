import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ChannelDetector } from './channel-detector.ts';
import type { SpeechRecognizer } from './recognize-piece.ts';
import { LoudnessDetector } from './test-detector.ts';
import { noise } from './test-noise.ts';
import { type SpeechFinder, transcribeChannel } from './transcribe-channel.ts';

const { signal } = new AbortController();

function finder(largestChunk?: { samples: number }): SpeechFinder {
  let channel = new ChannelDetector(8000, new LoudnessDetector());
  return {
    open: async (rateHz) => void (channel = new ChannelDetector(rateHz, new LoudnessDetector())),
    push: async (chunk) => {
      if (largestChunk) largestChunk.samples = Math.max(largestChunk.samples, chunk.length);
      return channel.push(chunk);
    },
    end: async () => channel.end(),
  };
}

const counting: () => SpeechRecognizer = () => {
  let count = 0;
  return {
    recognize: async () => {
      const text = `utterance ${++count}`;
      const word = { text: 'utterance', fromSample: 4800, toSample: 8000 };
      return { text, parts: [{ text, words: [word] }] };
    },
  };
};

describe('Transcribing a channel', () => {
  test('gives utterances in samples of the channel', async () => {
    const samples = new Int16Array(80_000);
    samples.set(noise({ samples: 8000, seed: 1, levelDbov: -20 }), 16_000);
    samples.set(noise({ samples: 8000, seed: 2, levelDbov: -20 }), 48_000);
    const audio = { rateHz: 8000, chunks: [samples.subarray(0, 20_000), samples.subarray(20_000)] };
    const { utterances, durationSamples } = await transcribeChannel(audio, finder(), counting(), signal);
    assert.equal(durationSamples, 80_000);
    assert.deepEqual(
      utterances.map(({ text }) => text),
      ['utterance 1', 'utterance 2'],
    );
    for (const [i, from] of [16_000, 48_000].entries()) {
      const { fromSample, toSample, words } = utterances[i]!;
      assert.ok(Math.abs(fromSample - from) < 400, String(fromSample));
      assert.ok(Math.abs(toSample - from - 8000) < 400, String(toSample));
      assert.ok(Math.abs(words![0]!.fromSample - from) < 400, String(words![0]!.fromSample));
    }
  });

  test('asks for a chunk when the one before is done, and passes on at most 10 s of it', async () => {
    const largest = { samples: 0 };
    let open = 0;
    async function* chunks() {
      for (let i = 0; i < 5; i++) {
        assert.equal(open++, 0);
        yield new Int16Array(200_000);
        open--;
      }
    }
    const audio = { rateHz: 8000, chunks: chunks() };
    const { durationSamples } = await transcribeChannel(audio, finder(largest), counting(), signal);
    assert.deepEqual([durationSamples, largest.samples], [1_000_000, 80_000]);
  });

  test('ends when nobody wants it any more, and lets go of the audio', async () => {
    const abort = new AbortController();
    let closed = false;
    async function* endless() {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) abort.abort(new Error('the recording was erased'));
          yield new Int16Array(8000);
        }
      } finally {
        closed = true;
      }
    }
    const work = transcribeChannel({ rateHz: 8000, chunks: endless() }, finder(), counting(), abort.signal);
    await assert.rejects(work, /erased/);
    assert.ok(closed);
  });
});
