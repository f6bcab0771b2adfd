import { activeSpeechDbov, scaled } from '../../src/testkit/active-speech.ts';
import { readLineAudio } from '../../src/testkit/audio-file.ts';

/** Folders of the Debian packages asterisk-core-sounds-*-wav (CC-BY-SA-3.0): people who read prompts, at 8 kHz. */
export const humanVoices = {
  english: 'en_US_f_Allison',
  spanish: 'es_MX_f_Allison',
  french: 'fr_CA_f_June',
  italian: 'it_IT_m_Carlo',
  russian: 'ru_RU_f_IvrvoiceRU',
} as const;
export type HumanVoice = keyof typeof humanVoices;
export const voiceNames = Object.keys(humanVoices) as HumanVoice[];

/** A prompt, mono, 8 kHz, brought to an active speech level of -26 dBov (ITU-T P.56). */
export async function humanVoice(voice: HumanVoice, prompt: string): Promise<Int16Array> {
  const samples = await readLineAudio(`/usr/share/asterisk/sounds/${humanVoices[voice]}/${prompt}.wav`);
  return scaled(samples, -26 - activeSpeechDbov(samples, 8000));
}
