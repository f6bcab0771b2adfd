import sherpa from 'sherpa-onnx-node';
import type { WindowDetector } from './channel-detector.ts';
import { recognizerRateHz, windowSamples } from './speech-segmenter.ts';

/** Speech that goes on for longer is told to the detector's own buffer as over, which would grow. */
const flushSamples = 20 * recognizerRateHz;
const minSpeechSeconds = 0.1;
const minSilenceSeconds = 0.5;
const threads = 1;

/** Silero VAD. Only to be made in a process of its own: a file it cannot read ends the process. */
export class SileroDetector implements WindowDetector {
  /** sherpa-onnx counts speech from two windows before what must be speech at least. */
  readonly onsetSamples = 2 * windowSamples + minSpeechSeconds * recognizerRateHz;
  readonly hangSamples = minSilenceSeconds * recognizerRateHz;
  readonly #vad: InstanceType<typeof sherpa.Vad>;
  #spokenSamples = 0;

  constructor(file: string) {
    this.#vad = new sherpa.Vad(
      {
        sileroVad: {
          model: file,
          threshold: 0.5,
          minSilenceDuration: minSilenceSeconds,
          minSpeechDuration: minSpeechSeconds,
          maxSpeechDuration: 3600,
          windowSize: windowSamples,
        },
        sampleRate: recognizerRateHz,
        numThreads: threads,
        debug: 0,
      },
      30,
    );
  }

  accept(window: Int16Array): boolean {
    this.#vad.acceptWaveform(asFloats(window));
    const isSpeech = this.#vad.isDetected();
    this.#spokenSamples = isSpeech ? this.#spokenSamples + window.length : 0;
    if (this.#spokenSamples >= flushSamples) {
      this.#vad.flush();
      this.#spokenSamples = 0;
    }
    while (!this.#vad.isEmpty()) this.#vad.pop();
    return isSpeech;
  }

  reset(): void {
    this.#vad.reset();
    this.#spokenSamples = 0;
  }
}

/** Any recogniser of sherpa-onnx that takes whole utterances. Only in a process of its own, too. */
export class SherpaRecognizer {
  readonly #recognizer: InstanceType<typeof sherpa.OfflineRecognizer>;

  constructor(model: object) {
    this.#recognizer = new sherpa.OfflineRecognizer({
      featConfig: { sampleRate: recognizerRateHz, featureDim: 80 },
      modelConfig: { ...model, numThreads: threads, provider: 'cpu', debug: 0 },
    });
  }

  recognize(samples: Int16Array): string {
    const stream = this.#recognizer.createStream();
    stream.acceptWaveform({ samples: asFloats(samples), sampleRate: recognizerRateHz });
    this.#recognizer.decode(stream);
    return this.#recognizer.getResult(stream).text.trim();
  }
}

function asFloats(samples: Int16Array): Float32Array {
  const floats = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) floats[i] = samples[i]! / 32_768;
  return floats;
}
