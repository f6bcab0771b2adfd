import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { rmsDbov } from '../../src/audio/level.ts';
import { resample } from '../../src/audio/resample.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';

const voiceRateHz = 8000;

/**
 * People who read prompts: folders of the Debian packages asterisk-core-sounds-{en,es,fr,it,ru}-wav
 * (CC-BY-SA-3.0, the Russian CC-BY-3.0) and asterisk-prompt-it-menardi-wav (CC-BY-SA-3.0). English and Spanish are one
 * speaker, so they stand on one side of the split. One more reads sentences: the corpus of festvox-ru.
 */
export const voiceFolders = {
  fit: [
    'en_US_f_Allison',
    'es_MX_f_Allison',
    'fr_CA_f_June',
    'it_IT_m_Carlo',
    '/usr/share/festival/voices/russian/msu_ru_nsh_clunits',
  ],
  score: ['ru_RU_f_IvrvoiceRU', 'it_IT_f_Menardi'],
} as const;
export type VoiceSet = keyof typeof voiceFolders;

export const voicePackages =
  'asterisk-core-sounds-en-wav asterisk-core-sounds-es-wav asterisk-core-sounds-fr-wav ' +
  'asterisk-core-sounds-it-wav asterisk-core-sounds-ru-wav asterisk-prompt-it-menardi-wav festvox-ru';

/** Where those packages put them. */
export const debianSounds = '/usr/share/asterisk/sounds';

export interface Voice {
  name: string;
  /** Utterances, mono, 8 kHz. */
  prompts: Int16Array[];
}

/** Tones and animals; and the prompts that the unit tests use (demo/audio). */
const noSpeech = /(^|\/)(silence|beep|.*tone|tt-|confbridge-(join|leave)|demo-congrats)/;
const leastSeconds = 0.9;
/** So much softer than the prompt, its beginning and end are cut. */
const edgeDb = 35;

/** @param directory where the packages' folders lie */
export async function readVoices(set: VoiceSet, directory: string): Promise<Voice[]> {
  return Promise.all(
    voiceFolders[set].map(async (folder) => {
      const root = resolve(directory, folder);
      const files = (await readdir(root, { recursive: true })).sort();
      const wanted = files.filter((file) => file.endsWith('.wav') && !noSpeech.test(file));
      const read = await Promise.all(wanted.map((file) => readPrompt(join(root, file))));
      const prompts = read.map(withoutEdges).filter(({ length }) => length > leastSeconds * voiceRateHz);
      return { name: basename(folder), prompts };
    }),
  );
}

async function readPrompt(path: string): Promise<Int16Array> {
  const { rateHz, channels } = decodeWav(await readFile(path));
  return rateHz === voiceRateHz ? channels[0]! : resample(channels[0]!, rateHz, voiceRateHz);
}

function withoutEdges(samples: Int16Array): Int16Array {
  const hop = 80;
  const least = rmsDbov(samples) - edgeDb;
  const hops = Math.floor(samples.length / hop);
  const isLoud = (at: number) => rmsDbov(samples, at * hop, (at + 1) * hop) > least;
  let first = 0;
  let last = hops - 1;
  while (first < last && !isLoud(first)) first++;
  while (last > first && !isLoud(last)) last--;
  return samples.subarray(Math.max(0, first - 3) * hop, Math.min(hops, last + 4) * hop);
}
