import type { PlaybackRateHz } from '../playback/audio-source.ts';

/** Something a caller hears otherwise than the document meant it; the speech itself is there. */
export interface SpeechWarning {
  code: 'voice-unknown' | 'locale-unsupported' | 'text-incomplete' | 'engine-failed';
  message: string;
}

export interface VoiceChoice {
  voice: string;
  warnings: SpeechWarning[];
}

export interface EngineRequest {
  /** Neither empty nor too long, without control characters. */
  text: string;
  /** As `chooseVoice` gave it. */
  voice: string;
  locale: string | undefined;
  rateHz: PlaybackRateHz;
}

export interface EngineSpeech {
  samples: Int16Array;
  warnings: SpeechWarning[];
}

/** One way to turn text into samples. */
export interface SpeechEngine {
  readonly name: string;
  /** Never fails: what is unknown becomes the engine's own voice and a warning. */
  chooseVoice(voice: string | undefined, locale: string | undefined): VoiceChoice;
  /** What makes two requests the same speech, for the cache. */
  cacheKey(request: EngineRequest): string;
  /**
   * @throws CallreelError SPEECH_FAILED, AUDIO_TOO_LONG, DRAINING
   * @throws the signal's reason
   */
  synthesize(request: EngineRequest, signal: AbortSignal): Promise<EngineSpeech>;
  close(): Promise<void>;
}

/** Longer speech is a mistake of the document. */
export const maxSpeechSeconds = 600;
