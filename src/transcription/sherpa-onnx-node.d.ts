/** What we use of sherpa-onnx-node 1.13.8, which ships no types of its own. */
declare module 'sherpa-onnx-node' {
  interface Waveform {
    /** -1 to 1. */
    samples: Float32Array;
    sampleRate: number;
  }

  class OfflineStream {
    acceptWaveform(waveform: Waveform): void;
  }

  class OfflineRecognizer {
    /** A model that cannot be read throws, or ends the process. */
    constructor(config: object);
    createStream(): OfflineStream;
    decode(stream: OfflineStream): void;
    getResult(stream: OfflineStream): { text: string; lang: string };
  }

  class Vad {
    constructor(config: object, bufferSeconds: number);
    acceptWaveform(samples: Float32Array): void;
    isDetected(): boolean;
    isEmpty(): boolean;
    pop(): void;
    flush(): void;
    reset(): void;
  }

  const sherpa: { OfflineRecognizer: typeof OfflineRecognizer; Vad: typeof Vad };
  // biome-ignore lint/style/noDefaultExport: the package is CommonJS
  export default sherpa;
}
