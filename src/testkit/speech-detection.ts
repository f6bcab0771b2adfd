import { VoiceActivity } from '../audio/voice-activity.ts';
import type { SampleSpan } from './active-span.ts';

export interface DetectionOptions {
  rateHz: number;
  inputSensitivity?: number;
}

/** Where voice activity finds speech: exactly, as it is known afterwards. */
export function detectedSpeech(samples: Int16Array, options: DetectionOptions): SampleSpan[] {
  const voice = new VoiceActivity(options);
  const spans: SampleSpan[] = [];
  const frameSamples = options.rateHz / 100;
  for (let at = 0; at < samples.length; at += frameSamples) {
    if (!voice.push(samples, at, Math.min(samples.length, at + frameSamples))) continue;
    const last = spans.at(-1);
    if (last?.start === voice.speechFrom) last.end = voice.speechTo;
    else spans.push({ start: voice.speechFrom, end: voice.speechTo });
  }
  return spans;
}

export interface DetectionFigures {
  /** Share of the speech that was found. */
  hits: number;
  /** Share of all else that was taken for speech, the time of the hangover behind speech left out of both. */
  falseAlarms: number;
  /** Frames of either kind. */
  speechFrames: number;
  otherFrames: number;
}

/** @param truth whether each 10 ms is speech */
export function detectionFigures(
  truth: readonly boolean[],
  found: readonly SampleSpan[],
  { rateHz, hangoverMs }: { rateHz: number; hangoverMs: number },
): DetectionFigures {
  const frameSamples = rateHz / 100;
  const isFound = new Array<boolean>(truth.length).fill(false);
  for (const { start, end } of found)
    isFound.fill(true, Math.floor(start / frameSamples), Math.ceil(end / frameSamples));
  let [speechFrames, hits, otherFrames, falseAlarms] = [0, 0, 0, 0];
  let lastSpeech = Number.NEGATIVE_INFINITY;
  for (const [frame, isSpeech] of truth.entries()) {
    if (isSpeech) {
      lastSpeech = frame;
      speechFrames += 1;
      if (isFound[frame]) hits += 1;
    } else if (frame - lastSpeech > hangoverMs / 10) {
      otherFrames += 1;
      if (isFound[frame]) falseAlarms += 1;
    }
  }
  return { hits: hits / speechFrames, falseAlarms: falseAlarms / otherFrames, speechFrames, otherFrames };
}
