import { readFileSync } from 'node:fs';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { type QualityFigures, QualityMeter } from './quality-meter.ts';

export interface TestVoice {
  name: string;
  /** Mono, 8 kHz. */
  prompts: Int16Array[];
}

/** The recordings of demo/audio. Their speakers were fitted to, these recordings were not. */
export const testVoices: TestVoice[] = ['english', 'french', 'spanish', 'italian'].map((name) => {
  const wav = parseWav(readFileSync(new URL(`../../demo/audio/${name}.wav`, import.meta.url)));
  return { name, prompts: [pcm16Samples(wav.data)] };
});

export function figuresOf(samples: Int16Array, chunk = samples.length, rateHz = 8000): QualityFigures {
  const meter = new QualityMeter(rateHz);
  for (let at = 0; at < samples.length; at += chunk)
    meter.push(samples, at, Math.min(samples.length, at + chunk));
  return meter.figures();
}
