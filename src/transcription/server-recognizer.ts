import { Agent, FormData, request } from 'undici';
import type { Clock } from '../clock.ts';
import { wavHeader } from '../container/wav.ts';
import { CallreelError, type ErrorCode } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { isSameLanguage, languageOf } from './locales.ts';
import type { Recognition, SpeechRecognizer } from './recognize-piece.ts';
import { recognizerRateHz } from './speech-segmenter.ts';
import { parseAnswer } from './verbose-answer.ts';

export interface ServerRecognizerOptions {
  /** The server, or the whole path of its endpoint. */
  url: string;
  key?: Secret | undefined;
  model: string;
  /** For one request: at most 20 s of audio. */
  timeoutMs: number;
  clock: Clock;
}

const maxAnswerBytes = 4_000_000;
const shownBodyCharacters = 200;
/** May be another time's luck: too busy, too slow, not there. */
const passingStatuses = new Set([408, 409, 425, 429]);
/** How servers refuse a format they do not know. */
const formatRefusals = new Set([400, 415, 422, 500, 501]);

type Format = 'verbose_json' | 'json';

/** A server with OpenAI's interface: POST /v1/audio/transcriptions. Follows no redirect. */
export class TranscriptionServer {
  readonly #options: ServerRecognizerOptions;
  readonly #agent: Agent;
  readonly #endpoint: string;
  /** What the server is known to take; undefined until it took one. */
  #format: Format | undefined;

  constructor(options: ServerRecognizerOptions) {
    const { timeoutMs, url } = options;
    this.#options = options;
    this.#endpoint = transcriptionEndpoint(url);
    this.#agent = new Agent({
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: maxAnswerBytes,
      allowH2: false,
    });
  }

  recognizer(locale: string, signal: AbortSignal): SpeechRecognizer {
    return { recognize: (samples) => this.#recognize(samples, locale, signal) };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #recognize(
    samples: Int16Array<ArrayBuffer>,
    locale: string,
    signal: AbortSignal,
  ): Promise<Recognition> {
    const formats: Format[] = this.#format ? [this.#format] : ['verbose_json', 'json'];
    for (const format of formats) {
      const { status, body } = await this.#post(samples, locale, format, signal);
      const answer = status === 200 ? parseAnswer(body) : undefined;
      if (answer) {
        this.#format = format;
        const { language, recognition } = answer;
        if (language && recognition.text.trim() !== '' && !isSameLanguage(language, locale))
          throw this.#fail(
            'TRANSCRIPTION_LOCALE_UNSUPPORTED',
            `it was asked for ${locale} and heard ${language.slice(0, 40)}`,
          );
        return recognition;
      }
      const mayKnowAnother = format !== formats.at(-1) && (status === 200 || formatRefusals.has(status));
      if (!mayKnowAnother) throw this.#refusal(status, body);
    }
    throw this.#fail('TRANSCRIPTION_UNAVAILABLE', 'it gave no text');
  }

  async #post(
    samples: Int16Array<ArrayBuffer>,
    locale: string,
    format: Format,
    signal: AbortSignal,
  ): Promise<{ status: number; body: string }> {
    const { key, timeoutMs, clock } = this.#options;
    signal.throwIfAborted();
    const late = new AbortController();
    const timer = clock.after(timeoutMs, () => late.abort());
    try {
      const response = await request(this.#endpoint, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          'user-agent': 'Callreel',
          accept: 'application/json',
          ...(key ? { authorization: `Bearer ${key.reveal()}` } : {}),
        },
        body: this.#form(samples, locale, format),
        signal: AbortSignal.any([signal, late.signal]),
      });
      return { status: response.statusCode, body: await response.body.text() };
    } catch (cause) {
      signal.throwIfAborted();
      const what = late.signal.aborted ? `no answer within ${timeoutMs} ms` : describe(cause);
      throw this.#fail('TRANSCRIPTION_UNAVAILABLE', what, cause);
    } finally {
      timer.cancel();
    }
  }

  #form(samples: Int16Array<ArrayBuffer>, locale: string, format: Format): FormData {
    const header = wavHeader({ rateHz: recognizerRateHz, channels: 1, dataBytes: samples.byteLength });
    const wav = new Blob([new Uint8Array(header), samples], { type: 'audio/wav' });
    const form = new FormData();
    form.append('file', wav, 'utterance.wav');
    form.append('model', this.#options.model);
    form.append('language', languageOf(locale) ?? '');
    form.append('response_format', format);
    form.append('temperature', '0');
    if (format === 'verbose_json')
      for (const granularity of ['segment', 'word']) form.append('timestamp_granularities[]', granularity);
    return form;
  }

  #refusal(status: number, body: string): CallreelError {
    const isPassing = status >= 500 || passingStatuses.has(status) || status === 200;
    return this.#fail(
      isPassing ? 'TRANSCRIPTION_UNAVAILABLE' : 'TRANSCRIPTION_REFUSED',
      `answered ${status}: ${body.slice(0, shownBodyCharacters)}`,
    );
  }

  #fail(code: ErrorCode, what: string, cause?: unknown): CallreelError {
    const { origin, pathname } = new URL(this.#endpoint);
    const where = `${origin}${pathname}`;
    return new CallreelError(code, `POST ${where}: ${what}`, { where, cause });
  }
}

function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}

function transcriptionEndpoint(text: string): string {
  const url = new URL(text);
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/audio/transcriptions'))
    url.pathname = `${path}${/\/v\d+$/.test(path) ? '' : '/v1'}/audio/transcriptions`;
  return url.href;
}
