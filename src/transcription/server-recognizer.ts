import { Agent, FormData, request } from 'undici';
import { type Clock, sleep } from '../clock.ts';
import { wavHeader } from '../container/wav.ts';
import { CallreelError, type ErrorCode } from '../errors.ts';
import { redacted, type Secret } from '../secret.ts';
import { abortable } from './abortable.ts';
import { isSameLanguage, languageOf } from './locales.ts';
import type { Recognition, SpeechRecognizer } from './recognize-piece.ts';
import { recognizerRateHz } from './speech-segmenter.ts';
import { parseAnswer, type ServerAnswer } from './verbose-answer.ts';

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
const formatRefusals = new Set([400, 415, 422, 501]);
/** What may be that, too, or a passing trouble. */
const doubtfulStatuses = new Set([200, 500]);
/** Of a server that says when to come again. */
const longestWaitMs = 60_000;
const maxWaits = 10;

/** What is asked for, the best first: with times of words, of segments, text alone. */
const formats = ['words', 'segments', 'json'] as const;
type Format = (typeof formats)[number];

interface Answer {
  status: number;
  body: string;
  /** Until it may be asked again, as far as it says so. */
  waitMs: number | undefined;
}

/** One channel's audio, piece by piece. */
interface Channel {
  locale: string;
  signal: AbortSignal;
  isUrgent: boolean;
  /** What the server took for the pieces so far. */
  format: Format | undefined;
  /** Better ones may only have met with a passing trouble: other channels ask for them again. */
  isDoubtful: boolean;
}

/** A server with OpenAI's interface: POST /v1/audio/transcriptions. Follows no redirect. */
export class TranscriptionServer {
  readonly #options: ServerRecognizerOptions;
  readonly #agent: Agent;
  readonly #endpoint: string;
  /** What it is known to take; undefined until it took one. */
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

  /** @param isUrgent somebody waits on the line: a server that is busy is not waited for */
  recognizer(locale: string, signal: AbortSignal, isUrgent = false): SpeechRecognizer {
    const channel: Channel = { locale, signal, isUrgent, format: this.#format, isDoubtful: false };
    return { recognize: (samples) => this.#recognize(samples, channel) };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #recognize(samples: Int16Array<ArrayBuffer>, channel: Channel): Promise<Recognition> {
    const known = channel.format;
    for (const format of formats.slice(known ? formats.indexOf(known) : 0)) {
      const { status, body } = await this.#ask(samples, format, channel);
      const answer = status === 200 ? parseAnswer(body) : undefined;
      if (answer) {
        channel.format = format;
        if (!channel.isDoubtful) this.#format = format;
        return this.#checked(answer, channel);
      }
      // What it took before fails for another reason.
      const mayRefuseFormat = formatRefusals.has(status) || (!known && doubtfulStatuses.has(status));
      if (format === 'json' || !mayRefuseFormat) throw this.#refusal(status, body);
      channel.isDoubtful ||= doubtfulStatuses.has(status);
    }
    throw this.#fail('TRANSCRIPTION_UNAVAILABLE', 'it gave no text');
  }

  #checked({ language, recognition }: ServerAnswer, { locale }: Channel): Recognition {
    if (language && recognition.text.trim() !== '' && !isSameLanguage(language, locale))
      throw this.#fail(
        'TRANSCRIPTION_LOCALE_UNSUPPORTED',
        `it was asked for ${locale} and heard ${this.#shown(language, 40)}`,
      );
    return recognition;
  }

  /** Waits where the server limits how often it is asked: a recording has hundreds of pieces. */
  async #ask(samples: Int16Array<ArrayBuffer>, format: Format, channel: Channel): Promise<Answer> {
    for (let waits = 0; ; waits++) {
      const answer = await this.#post(samples, format, channel);
      const { waitMs } = answer;
      if (waitMs === undefined || channel.isUrgent || waits === maxWaits) return answer;
      await abortable(sleep(this.#options.clock, waitMs), channel.signal);
    }
  }

  async #post(
    samples: Int16Array<ArrayBuffer>,
    format: Format,
    { locale, signal }: Channel,
  ): Promise<Answer> {
    const { key, timeoutMs, clock } = this.#options;
    signal.throwIfAborted();
    const late = new AbortController();
    const timer = clock.after(timeoutMs, () => late.abort());
    try {
      const { statusCode, headers, body } = await request(this.#endpoint, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          'user-agent': 'Callreel',
          accept: 'application/json',
          'accept-encoding': 'identity',
          ...(key ? { authorization: `Bearer ${key.reveal()}` } : {}),
        },
        body: this.#form(samples, locale, format),
        signal: AbortSignal.any([signal, late.signal]),
      });
      const waitMs =
        statusCode === 429 || statusCode === 503 ? this.#waitMs(headers['retry-after']) : undefined;
      return { status: statusCode, body: await body.text(), waitMs };
    } catch (cause) {
      signal.throwIfAborted();
      const what = late.signal.aborted ? `no answer within ${timeoutMs} ms` : describe(cause);
      throw this.#fail('TRANSCRIPTION_UNAVAILABLE', what, cause);
    } finally {
      timer.cancel();
    }
  }

  /** Retry-After (RFC 9110, 10.2.3): seconds, or a date. Undefined where it is none, or too long to wait for here. */
  #waitMs(header: string | string[] | undefined): number | undefined {
    if (typeof header !== 'string' || header.trim() === '') return undefined;
    const seconds = Number(header);
    const waitMs = Number.isNaN(seconds) ? Date.parse(header) - this.#options.clock.unixMs() : seconds * 1000;
    return waitMs <= longestWaitMs ? Math.max(0, waitMs) : undefined;
  }

  #form(samples: Int16Array<ArrayBuffer>, locale: string, format: Format): FormData {
    const header = wavHeader({ rateHz: recognizerRateHz, channels: 1, dataBytes: samples.byteLength });
    const wav = new Blob([new Uint8Array(header), samples], { type: 'audio/wav' });
    const form = new FormData();
    form.append('file', wav, 'utterance.wav');
    form.append('model', this.#options.model);
    form.append('language', languageOf(locale) ?? '');
    form.append('response_format', format === 'json' ? 'json' : 'verbose_json');
    form.append('temperature', '0');
    if (format !== 'json') form.append('timestamp_granularities[]', 'segment');
    if (format === 'words') form.append('timestamp_granularities[]', 'word');
    return form;
  }

  #refusal(status: number, body: string): CallreelError {
    const isPassing = status >= 500 || passingStatuses.has(status) || status === 200;
    return this.#fail(
      isPassing ? 'TRANSCRIPTION_UNAVAILABLE' : 'TRANSCRIPTION_REFUSED',
      `answered ${status}: ${this.#shown(body, shownBodyCharacters)}`,
    );
  }

  /** The beginning of what it says; servers repeat the key that they refuse. */
  #shown(text: string, characters: number): string {
    const { key } = this.#options;
    const secret = key?.reveal();
    const withoutKey = secret ? text.replaceAll(secret, redacted) : text;
    return withoutKey.slice(0, characters);
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
