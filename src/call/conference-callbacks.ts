import type { Warning } from './conference-options.ts';

export interface ConferenceCallbacksOptions {
  /** One more URL wants the conversation's events. */
  added(): void;
  warn(warning: Warning, callbackUrl: string): void;
}

/** Who is told of a conversation: each URL once, and of each feature that is not done once, whoever asks for it. */
export class ConferenceCallbacks {
  readonly urls = new Set<string>();
  /** Features and the URLs that were told of them. */
  #warned: Set<string> | undefined;
  readonly #options: ConferenceCallbacksOptions;

  constructor(options: ConferenceCallbacksOptions) {
    this.#options = options;
  }

  add(url: string, warnings: readonly Warning[]): void {
    if (!this.urls.has(url)) {
      this.urls.add(url);
      this.#options.added();
    }
    for (const warning of warnings) {
      const key = `${warning.feature} ${url}`;
      if (!this.#warned?.has(key)) this.#options.warn(warning, url);
      (this.#warned ??= new Set()).add(key);
    }
  }
}
