import type { SpeechPiece } from './speech-segmenter.ts';

/** Between the server and an engine process: messages of Node's IPC channel, structured clones. */
export interface EngineSettings {
  /** Silero VAD v5, an ONNX file. */
  detectorFile: string;
  /** Undefined for a process that only finds speech. */
  recognizer?: RecognizerSettings | undefined;
}

export interface RecognizerSettings {
  /** `modelConfig` of sherpa-onnx, without `numThreads`; `tokens` with it. */
  model: object;
}

export type EngineRequest =
  | { verb: 'open'; rateHz: number }
  | { verb: 'push'; chunk: Int16Array }
  | { verb: 'end' }
  | { verb: 'recognize'; samples: Int16Array };

export interface EngineReplies {
  open: undefined;
  push: SpeechPiece[];
  end: SpeechPiece[];
  recognize: string;
}

export type EngineMessage =
  | { kind: 'ready' }
  | { kind: 'unusable'; what: string }
  | { kind: 'reply'; id: number; result: unknown }
  | { kind: 'failure'; id: number; what: string };

export interface EngineCall {
  id: number;
  request: EngineRequest;
}
