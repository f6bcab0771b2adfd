import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AudioDecoder } from '../playback/audio-decoder.ts';
import type { Secret } from '../secret.ts';
import { CommandEngine } from './command-engine.ts';
import { type FliteVoice, fliteVoices } from './flite.ts';
import { asFliteVoice, defaultFliteVoice, FliteEngine } from './flite-engine.ts';
import type { SpeechEngine } from './speech-engine.ts';
import { CachedTextToSpeech, type TextToSpeech } from './text-to-speech.ts';
import { UrlEngine } from './url-engine.ts';

/** `speech` of the configuration. */
export interface SpeechSettings {
  url?: string | undefined;
  key?: Secret | undefined;
  model: string;
  format: 'wav' | 'pcm';
  command?: readonly string[] | undefined;
  voice?: string | undefined;
  timeoutMs: number;
}

const cacheBytes = 64 * 1024 * 1024;
/** What OpenAI's own interface calls its first voice; servers that imitate it know the name. */
const defaultUrlVoice = 'alloy';
/** espeak-ng has a voice of this name. */
const defaultCommandVoice = 'default';

interface Surroundings {
  clock: Clock;
  decoder: AudioDecoder;
}

/**
 * The configured engine, with the embedded one behind it, so that a speech server that is down is heard as another
 * voice and not as silence.
 * @throws CallreelError CONFIG_INVALID
 */
export function createTextToSpeech(settings: SpeechSettings, surroundings: Surroundings): TextToSpeech {
  const { clock } = surroundings;
  const foreign = foreignEngine(settings, surroundings);
  const engines: [SpeechEngine, ...SpeechEngine[]] = foreign
    ? [foreign, new FliteEngine(clock)]
    : [new FliteEngine(clock, ownFliteVoice(settings.voice))];
  return new CachedTextToSpeech({ engines, cacheBytes });
}

function foreignEngine(
  { url, command, voice, ...settings }: SpeechSettings,
  surroundings: Surroundings,
): SpeechEngine | undefined {
  if (url !== undefined)
    return new UrlEngine({ ...settings, ...surroundings, url, voice: voice ?? defaultUrlVoice });
  const [program, ...args] = command ?? [];
  if (program === undefined) return undefined;
  return new CommandEngine({
    ...settings,
    ...surroundings,
    command: [program, ...args],
    voice: voice ?? defaultCommandVoice,
  });
}

function ownFliteVoice(voice: string | undefined): FliteVoice {
  const known = voice === undefined ? defaultFliteVoice : asFliteVoice(voice);
  if (known) return known;
  throw new CallreelError('CONFIG_INVALID', `speech.voice: expected ${fliteVoices.join(', ')}`, {
    where: 'speech.voice',
  });
}
