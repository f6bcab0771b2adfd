import type {
  ConnectConfOptions,
  ConnectMxpOptions,
  ConnectPstnOptions,
  ConnectSipOptions,
  ParkOptions,
  Recorded,
  RecordingOptions,
  RunMenuOptions,
} from './options.ts';

/** As the vendor writes it: a name and the fields of that. */
export interface Named {
  name: string;
  [field: string]: unknown;
}

/** What a callback is answered with, and what a request to a call holds. */
export interface SvamlDocument {
  instructions?: Named[];
  action?: Named;
}

/** Instructions in the order of the calls, then one action; `JSON.stringify` makes the text. */
export class SvamlBuilder {
  readonly #instructions: Named[] = [];
  #action: Named | undefined;

  /** A text of 600 characters at most. @param locale `en-US`, or a voice */
  say(text: string, locale?: string): this {
    return this.add({ name: 'say', text, ...(locale !== undefined && { locale }) });
  }

  /** URLs, `#tts[text]`, `#ssml[..]`. */
  playFiles(ids: string | readonly string[], locale?: string): this {
    const list = typeof ids === 'string' ? [ids] : [...ids];
    return this.add({ name: 'playFiles', ids: list, ...(locale !== undefined && { locale }) });
  }

  sendDtmf(value: string): this {
    return this.add({ name: 'sendDtmf', value });
  }

  /** Told with every callback of the call from here on. */
  setCookie(key: string, value: string): this {
    return this.add({ name: 'setCookie', key, value });
  }

  answer(): this {
    return this.add({ name: 'answer' });
  }

  /** Records the call from here on. */
  startRecording(options: RecordingOptions): this {
    return this.add({ name: 'startRecording', options });
  }

  stopRecording(): this {
    return this.add({ name: 'stopRecording' });
  }

  /** Instructions made elsewhere. */
  add(...instructions: readonly Named[]): this {
    this.#instructions.push(...instructions);
    return this;
  }

  hangup(): this {
    return this.action({ name: 'hangup' });
  }

  continue(options: Recorded = {}): this {
    return this.action({ name: 'continue', ...options });
  }

  connectPstn(options: ConnectPstnOptions | string = {}): this {
    const fields = typeof options === 'string' ? { number: options } : options;
    return this.action({ name: 'connectPstn', ...fields });
  }

  connectSip(options: ConnectSipOptions | string): this {
    const { endpoint, ...fields } = typeof options === 'string' ? { endpoint: options } : options;
    return this.action({ name: 'connectSip', destination: { type: 'sip', endpoint }, ...fields });
  }

  connectMxp(options: ConnectMxpOptions | string = {}): this {
    const { username, ...fields } = typeof options === 'string' ? { username: options } : options;
    const destination =
      username === undefined ? {} : { destination: { type: 'username', endpoint: username } };
    return this.action({ name: 'connectMxp', ...destination, ...fields });
  }

  connectConf(options: ConnectConfOptions | string): this {
    const fields = typeof options === 'string' ? { conferenceId: options } : options;
    return this.action({ name: 'connectConf', ...fields });
  }

  runMenu(options: RunMenuOptions): this {
    return this.action({ name: 'runMenu', ...options });
  }

  park(options: ParkOptions = {}): this {
    return this.action({ name: 'park', ...options });
  }

  /** As the vendor writes it. @throws TypeError there is one already */
  action(action: Named): this {
    if (this.#action)
      throw new TypeError(`there is an action already: ${this.#action.name}; a document has one`);
    this.#action = action;
    return this;
  }

  toJSON(): SvamlDocument {
    return {
      ...(this.#instructions.length > 0 && { instructions: [...this.#instructions] }),
      ...(this.#action && { action: this.#action }),
    };
  }
}

/** A SVAML document: `svaml().say('Hello').connectPstn('+15551234567')`. */
export function svaml(): SvamlBuilder {
  return new SvamlBuilder();
}
