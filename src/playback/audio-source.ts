import type { AudioRequest, AudioResponse } from '../callbacks/audio-download.ts';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { AudioDecoder } from './audio-decoder.ts';
import { type BudgetShare, ByteBudget } from './byte-budget.ts';
import { ByteCache } from './byte-cache.ts';
import { freshness } from './freshness.ts';
import { SharedWork } from './shared-work.ts';

/** Rates a leg is played to. */
export type PlaybackRateHz = 8000 | 16_000 | 48_000;

export interface PlayRequest {
  /** http or https; user info in it becomes Basic authentication. */
  url: string;
  rateHz: PlaybackRateHz;
  signal?: AbortSignal | undefined;
}

/** Mono, 16 bit. The samples are shared with everyone who plays the same: never write to them. */
export interface PlayableAudio {
  samples: Int16Array;
  rateHz: PlaybackRateHz;
}

/** The part of `CallbackClient` that is used here. */
export interface AudioFetcher {
  fetchAudio(request: AudioRequest): Promise<AudioResponse>;
}

export interface AudioLimits {
  maxBytes: number;
  maxSeconds: number;
  /** For the download. */
  timeoutMs: number;
  cacheBytes: number;
  /** Of all files that are being downloaded or decoded; at least `maxBytes` whatever it says. */
  maxTotalBytes: number;
}

const standardLimits: AudioLimits = {
  maxBytes: 50_000_000,
  maxSeconds: 1800,
  timeoutMs: 30_000,
  cacheBytes: 64 * 1024 * 1024,
  maxTotalBytes: 256_000_000,
};

export interface AudioSourceOptions {
  fetcher: AudioFetcher;
  decoder: AudioDecoder;
  clock: Clock;
  limits?: Partial<AudioLimits>;
  /** Bytes of a URL that this server serves itself, as its own recordings; undefined for every other URL. */
  readOwn?: (url: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

interface KeptAudio {
  samples: Int16Array;
  etag: string;
  freshUntilUs: number;
}

/** What a document may ask to play, by URL: WAV (PCM, floating point, G.711) and MP3, told by their bytes. */
export class AudioSource {
  readonly #options: AudioSourceOptions;
  readonly #limits: AudioLimits;
  readonly #cache: ByteCache<KeptAudio>;
  readonly #loading = new SharedWork<Int16Array>();
  readonly #budget: ByteBudget;

  constructor(options: AudioSourceOptions) {
    this.#options = options;
    this.#limits = { ...standardLimits, ...options.limits };
    this.#budget = new ByteBudget(Math.max(this.#limits.maxTotalBytes, this.#limits.maxBytes));
    this.#cache = new ByteCache(this.#limits.cacheBytes, ({ samples }) => samples.byteLength);
  }

  /**
   * @throws CallreelError AUDIO_UNREACHABLE, AUDIO_INVALID, AUDIO_TOO_LONG, AUDIO_EXHAUSTED, CALLBACK_FORBIDDEN,
   *   REQUEST_INVALID
   * @throws the signal's reason
   */
  async load({ url, rateHz, signal }: PlayRequest): Promise<PlayableAudio> {
    const key = `${rateHz} ${url}`;
    const kept = this.#cache.get(key);
    if (kept && this.#options.clock.monotonicUs() < kept.freshUntilUs)
      return { samples: kept.samples, rateHz };
    const samples = await this.#loading.do(
      key,
      (abandoned) => this.#loadWithin(key, { url, rateHz, signal: abandoned }, kept),
      signal,
    );
    return { samples, rateHz };
  }

  /** The largest of all that are loaded at once is given up where they hold too much. */
  async #loadWithin(
    key: string,
    request: PlayRequest & { signal: AbortSignal },
    kept: KeptAudio | undefined,
  ): Promise<Int16Array> {
    const exhausted = new AbortController();
    const share = this.#budget.begin(() => {
      const what = 'the files that are loaded at once hold too much, and this one the most';
      exhausted.abort(new CallreelError('AUDIO_EXHAUSTED', what));
    });
    try {
      const signal = AbortSignal.any([request.signal, exhausted.signal]);
      return await this.#load(key, { ...request, signal, share }, kept);
    } finally {
      share.end();
    }
  }

  async #load(
    key: string,
    { url, rateHz, signal, share }: PlayRequest & { signal: AbortSignal; share: BudgetShare },
    kept: KeptAudio | undefined,
  ): Promise<Int16Array> {
    const own = await this.#options.readOwn?.(url, signal);
    if (own) {
      share.holds(own.length);
      return this.#decode(own, rateHz, signal);
    }
    const { fetcher, clock } = this.#options;
    const { maxBytes, timeoutMs } = this.#limits;
    const response = await fetcher.fetchAudio({
      url,
      headers: { accept: 'audio/*', ...(kept?.etag ? { 'if-none-match': kept.etag } : {}) },
      maxBytes,
      timeoutMs,
      signal,
      takes: (bytes) => share.holds(bytes),
    });
    share.holds(response.body.length);
    const isUnchanged = response.status === 304 && kept !== undefined;
    const samples = isUnchanged ? kept.samples : await this.#decode(response.body, rateHz, signal);
    const etag = response.etag || (isUnchanged ? kept.etag : '');
    const { keeps, maxAgeMs } = freshness(response.cacheControl, etag);
    const freshUntilUs = clock.monotonicUs() + maxAgeMs * 1000;
    if (keeps) this.#cache.put(key, { samples, etag, freshUntilUs });
    else this.#cache.delete(key);
    return samples;
  }

  #decode(bytes: Uint8Array<ArrayBuffer>, rateHz: number, signal: AbortSignal): Promise<Int16Array> {
    return this.#options.decoder.decode({ bytes, rateHz, maxSeconds: this.#limits.maxSeconds }, signal);
  }
}
