import { setImmediate } from 'node:timers/promises';
import { displayUrl } from '../../callbacks/user-url.ts';
import type { Prompt } from '../../script/verb.ts';
import { labelOf } from './check.ts';
import type { SwmlDocument } from './document.ts';
import type { SwmlEnd, SwmlHost } from './host.ts';
import { isList, type Json, type JsonObject, jsonObject, memberOf } from './json.ts';
import { destinationOf } from './methods/control.ts';
import type { Flow, Run, Target } from './methods/method.ts';
import { playables } from './methods/play.ts';
import {
  formatPath,
  type Path,
  type Place,
  type Problem,
  ScriptError,
  type ScriptErrorCode,
  shortened,
} from './script-error.ts';
import { stepOf } from './step.ts';
import { type Filling, isMet, substitute } from './substitution.ts';
import { loadSwml } from './swml-document.ts';
import type { Variables } from './variables.ts';

export interface SwmlLimits {
  /** Steps that one run may do, all sections and documents together. */
  maxSteps: number;
  /** `execute` within `execute`. */
  maxDepth: number;
  /** The vendor's 32. */
  maxTransfers: number;
  /** What all expressions may cost together (`expression/value.ts`). */
  maxExpressionSteps: number;
}

export const swmlLimits: SwmlLimits = {
  maxSteps: 10_000,
  maxDepth: 32,
  maxTransfers: 32,
  maxExpressionSteps: 5_000_000,
};

const stepsBetweenBreaths = 50;

/** Another document than the first could not be run. */
export class DocumentRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('the document is wrong');
    this.name = 'DocumentRefused';
    this.problems = problems;
  }
}

/** A section that runs. */
interface Frame {
  document: SwmlDocument;
  /** How often each label was jumped to. */
  jumps: Map<string, number>;
}

/** One run of a document: what has been done of its limits, and where it is. */
export class ScriptRun implements Run {
  readonly host: SwmlHost;
  readonly variables: Variables;
  readonly controlIds: string[] = [];
  readonly #limits: SwmlLimits;
  readonly #purse: { steps: number };
  readonly #ended: Promise<never>;
  readonly #begun = new WeakSet<SwmlDocument>();
  #frame: Frame | undefined;
  #depth = 0;
  #steps = 0;
  #transfers = 0;

  constructor(host: SwmlHost, variables: Variables, limits: SwmlLimits) {
    this.host = host;
    this.variables = variables;
    this.#limits = limits;
    this.#purse = { steps: limits.maxExpressionSteps };
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.#ended = promise;
    const end = (): void => reject(host.ended.reason);
    if (host.ended.aborted) end();
    else host.ended.addEventListener('abort', end, { once: true });
  }

  /** From a section to wherever it is transferred to. */
  async whole(from: Target): Promise<Flow> {
    let target = from;
    for (;;) {
      const flow = await this.#section(target);
      if (flow?.kind !== 'transfer') return flow;
      target = flow.target;
    }
  }

  warn(code: ScriptErrorCode, message: string, path: Path): void {
    this.#tell(code, shortened(message), formatPath(path), this.#placeOf(path));
  }

  fill(value: Json, path: Path): Json {
    return substitute(value, this.#filling(path));
  }

  isMet(condition: string, path: Path): boolean {
    return isMet(condition, this.#filling(path));
  }

  async untilEnded<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#ended]);
  }

  mayJump(label: string, max: number): boolean {
    const jumps = this.#frame!.jumps;
    const count = (jumps.get(label) ?? 0) + 1;
    if (count <= max) jumps.set(label, count);
    return count <= max;
  }

  async steps(steps: Json, path: Path): Promise<Flow> {
    if (!isList(steps))
      throw new ScriptError('relay_script_element_wrong_type', 'a list of steps is expected', path);
    for (let index = 0; index < steps.length; index++) {
      const place = [...path, index];
      await this.#breathe(place);
      const { method, params, path: at } = stepOf(steps[index]!, place);
      const flow = await method.run(params, at, this).catch((error: unknown) => {
        throw error instanceof ScriptError ? error.at(at) : error;
      });
      if (flow?.kind !== 'jump') {
        if (flow) return flow;
        continue;
      }
      const to = steps.findIndex((step) => labelOf(step) === flow.label);
      if (to < 0) return flow;
      index = to;
    }
    return undefined;
  }

  async execute(dest: string, params: JsonObject, path: Path): Promise<Flow> {
    if (this.#depth >= this.#limits.maxDepth)
      throw new ScriptError(
        'relay_script_nested_too_deep',
        `execute is nested deeper than ${this.#limits.maxDepth} levels`,
        path,
      );
    const target = await this.#target(dest, params, path);
    const { params: before } = this.variables;
    this.#depth++;
    const flow = await this.#section(target);
    this.#depth--;
    this.variables.params = before;
    return flow;
  }

  async transfer(dest: string, params: JsonObject, path: Path): Promise<Flow> {
    if (++this.#transfers > this.#limits.maxTransfers)
      throw new ScriptError(
        'relay_script_too_many_transfers',
        `more than ${this.#limits.maxTransfers} transfers`,
        path,
      );
    return { kind: 'transfer', target: await this.#target(dest, params, path) };
  }

  async promptsAt(url: string, path: Path): Promise<readonly Prompt[]> {
    const { sections } = await this.#fetch(url, jsonObject(), path);
    const main = memberOf(sections, 'main') ?? [];
    return (isList(main) ? main : []).flatMap((step) => {
      const play = memberOf(step, 'play');
      if (play === undefined) return [];
      const urls = memberOf(play, 'urls') ?? [memberOf(play, 'url') ?? play];
      return playables.read(this.fill(urls, path), path).flatMap((prompt) => prompt ?? []);
    });
  }

  /** Puts on record that a document was not begun. */
  refused(problems: readonly Problem[]): SwmlEnd {
    for (const problem of problems) this.#event(problem);
    const first = problems.find(({ severity }) => severity === 'error') ?? problems[0]!;
    this.variables.set('script_error', first.code);
    const { code, message, path, line, column } = first;
    return { reason: 'failed', error: { code, message, path, line, column } };
  }

  /** Puts on record what ended the script. */
  failed(error: ScriptError): SwmlEnd {
    const path = formatPath(error.path ?? []);
    const place = error.place ?? { line: 0, column: 0 };
    this.#tell(error.code, error.message, path, place);
    return { reason: 'failed', error: { code: error.code, message: error.message, path, ...place } };
  }

  #filling(path: Path): Filling {
    return {
      variables: this.variables,
      warn: (message) => this.warn('relay_script_js_eval_error', message, path),
      purse: this.#purse,
    };
  }

  /** What a document asks for in vain is told when it begins. */
  #begin(document: SwmlDocument): void {
    if (this.#begun.has(document)) return;
    this.#begun.add(document);
    for (const problem of document.warnings) this.#event(problem);
  }

  async #section({ document, section, params }: Target): Promise<Flow> {
    const before = this.#frame;
    this.#frame = { document, jumps: new Map() };
    this.variables.params = params;
    this.#begin(document);
    const path = ['sections', section];
    try {
      const flow = await this.steps(memberOf(document.sections, section) ?? null, path);
      if (flow?.kind !== 'jump') return flow;
      // A variable brought it, else it would have been seen before: a caller may have pressed it.
      const message = 'there is no label of this name in this section';
      throw new ScriptError('relay_script_method_parameter_invalid_value', message, flow.path);
    } catch (error) {
      if (error instanceof ScriptError) error.place ??= document.placeOf(error.path ?? path);
      throw error;
    } finally {
      this.#frame = before;
    }
  }

  async #target(dest: string, params: JsonObject, path: Path): Promise<Target> {
    const kind = destinationOf(dest);
    const { document } = this.#frame!;
    if (kind === 'section') {
      if (Object.hasOwn(document.sections, dest)) return { document, section: dest, params };
      throw new ScriptError(
        'relay_script_section_parameter_undefined',
        'there is no section of this name',
        path,
      );
    }
    const other = kind === 'url' ? await this.#fetch(dest, params, path) : this.#loaded(dest);
    return { document: other, section: 'main', params };
  }

  async #fetch(url: string, params: JsonObject, path: Path): Promise<SwmlDocument> {
    const { vars, envs } = this.variables;
    let source: unknown;
    try {
      source = await this.untilEnded(this.host.fetchDocument(url, { vars, envs, params }));
    } catch (error) {
      if (this.host.ended.aborted) throw error;
      // What stands behind the host may be what a caller pressed.
      const { origin } = new URL(url);
      const message = (error as Error).message.replaceAll(displayUrl(new URL(url)), origin);
      throw new ScriptError('relay_script_method_execute_failed', message, path);
    }
    return this.#loaded(source);
  }

  #loaded(source: unknown): SwmlDocument {
    const { document, problems } = loadSwml(source, { steps: true });
    if (!document) throw new DocumentRefused(problems);
    return document;
  }

  /** Counts a step, and lets others have their turn. */
  async #breathe(path: Path): Promise<void> {
    if (this.host.ended.aborted) throw this.host.ended.reason;
    if (++this.#steps > this.#limits.maxSteps)
      throw new ScriptError(
        'relay_script_method_execute_failed',
        `the script does not end within ${this.#limits.maxSteps} steps`,
        path,
      );
    if (this.#steps % stepsBetweenBreaths === 0) await setImmediate();
  }

  #placeOf(path: Path): Place {
    return this.#frame?.document.placeOf(path) ?? { line: 0, column: 0 };
  }

  #tell(code: ScriptErrorCode, message: string, path: string, { line, column }: Place): void {
    this.variables.set('script_error', code);
    this.#event({ code, message, path, line, column });
  }

  #event({ code, message, path, line, column }: Omit<Problem, 'severity' | 'todo'>): void {
    const place: [string, Json][] =
      line === 0
        ? []
        : [
            ['line', line],
            ['column', column],
          ];
    const params = jsonObject([['code', code], ['message', message], ['step', path], ...place]);
    this.host.event('calling.script.warning', params);
  }
}
