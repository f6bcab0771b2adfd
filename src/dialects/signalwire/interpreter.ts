import type { SwmlDocument } from './document.ts';
import type { SwmlEnd, SwmlHost } from './host.ts';
import { type JsonObject, jsonObject, toJson } from './json.ts';
import { ScriptError } from './script-error.ts';
import { DocumentRefused, ScriptRun, type SwmlLimits, swmlLimits } from './script-run.ts';
import { loadSwml } from './swml-document.ts';
import { Variables } from './variables.ts';

export interface SwmlRunOptions {
  /** False: the call stays as it is when the document has ended; another one runs on it. */
  hangUpAtEnd?: boolean;
}

/**
 * Runs documents on one call, one after the other; its variables stay from one to the next. Pure but for its host: no
 * clock, no socket, no file.
 */
export class SwmlInterpreter {
  readonly #host: SwmlHost;
  readonly #limits: SwmlLimits;
  readonly #variables: Variables;

  constructor(host: SwmlHost, limits: Partial<SwmlLimits> = {}) {
    this.#host = host;
    this.#limits = { ...swmlLimits, ...limits };
    this.#variables = new Variables({ call: () => toScope(host.call), envs: toScope(host.envs ?? {}) });
  }

  /** `vars`, as they are now. */
  get variables(): JsonObject {
    return this.#variables.vars;
  }

  setVariables(values: Readonly<Record<string, unknown>>): void {
    this.#variables.setAll(values);
  }

  /**
   * Runs the document's main section to its end, and hangs up. Never throws: what ends a script early is in the answer,
   * in the variable `script_error` and an event.
   */
  async run(
    document: SwmlDocument,
    params: object = {},
    { hangUpAtEnd = true }: SwmlRunOptions = {},
  ): Promise<SwmlEnd> {
    const run = new ScriptRun(this.#host, this.#variables, this.#limits);
    const end = await this.#outcome(run, document, params);
    if (hangUpAtEnd && end.reason !== 'hung-up') await this.#hangUp();
    return end;
  }

  /** As `run`, of a document as it came: its text, or an object. One that is wrong is not begun. */
  async runSource(source: unknown, params: object = {}, options: SwmlRunOptions = {}): Promise<SwmlEnd> {
    const { document, problems } = loadSwml(source);
    if (document) return await this.run(document, params, options);
    return new ScriptRun(this.#host, this.#variables, this.#limits).refused(problems);
  }

  async #outcome(run: ScriptRun, document: SwmlDocument, params: object): Promise<SwmlEnd> {
    try {
      const flow = await run.whole({ document, section: 'main', params: toScope(params) });
      return { reason: flow?.kind === 'hang-up' ? 'hung-up' : 'finished' };
    } catch (error) {
      if (this.#host.ended.aborted) return { reason: 'call-ended' };
      return error instanceof DocumentRefused
        ? run.refused(error.problems)
        : run.failed(asScriptError(error));
    }
  }

  async #hangUp(): Promise<void> {
    if (this.#host.ended.aborted) return;
    try {
      await this.#host.perform({ verb: 'hang-up' });
    } catch {
      // It has ended meanwhile.
    }
  }
}

function toScope(value: object): JsonObject {
  const scope = toJson(value);
  return typeof scope === 'object' && scope !== null && !Array.isArray(scope)
    ? (scope as JsonObject)
    : jsonObject();
}

function asScriptError(error: unknown): ScriptError {
  if (error instanceof ScriptError) return error;
  return new ScriptError(
    'relay_script_internal_error',
    error instanceof Error ? error.message : String(error),
  );
}
