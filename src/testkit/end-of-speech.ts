import { SilenceTimer } from '../audio/silence-timer.ts';
import { VoiceActivity } from '../audio/voice-activity.ts';
import type { SampleSpan } from './active-span.ts';

/** Truth of 10 ms frames (see `speechFrames`) as what is spoken between pauses of at least so long. */
export function sentences(truth: readonly boolean[], rateHz: number, pauseMs: number): SampleSpan[] {
  const frameSamples = rateHz / 100;
  const spans: SampleSpan[] = [];
  for (const [frame, isSpeech] of truth.entries()) {
    if (!isSpeech) continue;
    const start = frame * frameSamples;
    const last = spans.at(-1);
    if (last && start - last.end < (pauseMs * rateHz) / 1000) last.end = start + frameSamples;
    else spans.push({ start, end: start + frameSamples });
  }
  return spans;
}

export interface EndSilenceOptions {
  rateHz: number;
  endSilenceTimeoutMs: number;
  inputSensitivity?: number;
}

/** When `end_silence_timeout` fires, in ms from the start: the position it gives, and that at which it gives it. */
export interface EndSilenceTimes {
  atMs: number;
  toldMs: number;
}

/** Gives the samples in packets of 20 ms, as a call does; `undefined` where it never fires. */
export function endSilenceTimes(
  samples: Int16Array,
  { endSilenceTimeoutMs, ...options }: EndSilenceOptions,
): EndSilenceTimes | undefined {
  const { rateHz } = options;
  const voice = new VoiceActivity(options);
  const timer = new SilenceTimer({ rateHz, endSilenceTimeoutMs });
  const packetSamples = rateHz / 50;
  for (let at = 0; at < samples.length; at += packetSamples) {
    voice.push(samples, at, Math.min(samples.length, at + packetSamples));
    const expiry = timer.decide(voice);
    if (expiry) return { atMs: (expiry.atSample * 1000) / rateHz, toldMs: (voice.position * 1000) / rateHz };
  }
  return undefined;
}
