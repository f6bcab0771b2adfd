import { AddressGuard } from '../callbacks/address-guard.ts';
import type { AudioResponse } from '../callbacks/audio-download.ts';
import { CallbackClient } from '../callbacks/callback-client.ts';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AudioDecoder } from '../playback/audio-decoder.ts';
import type { Secret } from '../secret.ts';
import {
  type EngineRequest,
  type EngineSpeech,
  maxSpeechSeconds,
  type SpeechEngine,
  type VoiceChoice,
} from './speech-engine.ts';
import { chooseForeignVoice } from './voice-name.ts';

export interface UrlEngineOptions {
  /** The server, or the whole path of its speech endpoint. */
  url: string;
  key?: Secret | undefined;
  model: string;
  voice: string;
  format: 'wav' | 'pcm';
  timeoutMs: number;
  clock: Clock;
  decoder: AudioDecoder;
}

/** Ten minutes at 48 kHz, 16 bit. */
const maxBytes = 60_000_000;
/** What the interface's `pcm` is: 24 kHz, 16 bit, mono, little-endian. */
const pcmRateHz = 24_000;
/** The operator's own setting may lead anywhere. */
const everywhere = ['0.0.0.0/0', '::/0'];

/** A server that speaks OpenAI's interface: POST /v1/audio/speech. */
export class UrlEngine implements SpeechEngine {
  readonly name = 'url';
  readonly #options: UrlEngineOptions;
  readonly #client: CallbackClient;
  readonly #endpoint: string;

  constructor(options: UrlEngineOptions) {
    const { clock, timeoutMs, url } = options;
    this.#options = options;
    this.#endpoint = speechEndpoint(url);
    this.#client = new CallbackClient({ guard: new AddressGuard(everywhere), clock, timeoutMs, maxBytes });
  }

  chooseVoice(voice: string | undefined, locale: string | undefined): VoiceChoice {
    return chooseForeignVoice(this.#options.voice, voice, locale);
  }

  cacheKey({ text, voice, rateHz }: EngineRequest): string {
    return `${voice} ${rateHz} ${text}`;
  }

  async synthesize({ text, voice, rateHz }: EngineRequest, signal: AbortSignal): Promise<EngineSpeech> {
    const { decoder } = this.#options;
    try {
      const response = await this.#post({ text, voice }, signal);
      const rawRateHz = this.#rawRateHz(response);
      const job = { bytes: response.body, rateHz, maxSeconds: maxSpeechSeconds, rawRateHz };
      return { samples: await decoder.decode(job, signal), warnings: [] };
    } catch (cause) {
      if (!(cause instanceof CallreelError) || cause.code === 'DRAINING') throw cause;
      throw new CallreelError('SPEECH_FAILED', `speech.url: ${cause.message}`, { where: cause.where, cause });
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #post({ text, voice }: { text: string; voice: string }, signal: AbortSignal): Promise<AudioResponse> {
    const { key, model, format, timeoutMs } = this.#options;
    return this.#client.fetchAudio({
      url: this.#endpoint,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key ? { authorization: `Bearer ${key.reveal()}` } : {}),
      },
      body: JSON.stringify({ model, input: text, voice, response_format: format }),
      maxBytes,
      timeoutMs,
      signal,
    });
  }

  /** Some servers answer in the format they like best: the type of the answer counts, then the format asked for. */
  #rawRateHz({ contentType }: AudioResponse): number | undefined {
    if (!/^audio\/(?:x-)?(?:pcm|l16)\b/i.test(contentType))
      return this.#options.format === 'pcm' ? pcmRateHz : undefined;
    const rateHz = Number(/rate=(\d{4,6})\b/i.exec(contentType)?.[1]);
    return rateHz || pcmRateHz;
  }
}

function speechEndpoint(text: string): string {
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/audio/speech'))
    url.pathname = `${path}${/\/v\d+$/.test(path) ? '' : '/v1'}/audio/speech`;
  return url.href;
}
