import * as methods from './methods.ts';
import type {
  AnswerOptions,
  Condition,
  ConnectOptions,
  ExecuteOptions,
  GotoOptions,
  HangupOptions,
  JoinConferenceOptions,
  PlayOptions,
  PromptOptions,
  RecordCallOptions,
  RecordOptions,
  RequestOptions,
  Step,
  StepList,
  StopRecordCallOptions,
  Switch,
  TransferOptions,
} from './options.ts';
import type { NumberOrVariable, Sound } from './values.ts';

/** One call for each method; `switch` and `return` have the vendor's names here. */
abstract class StepMethods {
  /** Steps made elsewhere, or of a method that has no call of its own here. */
  abstract add(...steps: readonly Step[]): this;

  answer(options?: AnswerOptions): this {
    return this.add(methods.answer(options));
  }

  hangup(options?: HangupOptions): this {
    return this.add(methods.hangup(options));
  }

  play(options: PlayOptions | Sound | readonly Sound[]): this {
    return this.add(methods.play(options));
  }

  prompt(options: PromptOptions): this {
    return this.add(methods.prompt(options));
  }

  record(options?: RecordOptions): this {
    return this.add(methods.record(options));
  }

  recordCall(options?: RecordCallOptions): this {
    return this.add(methods.recordCall(options));
  }

  stopRecordCall(which?: StopRecordCallOptions | string): this {
    return this.add(methods.stopRecordCall(which));
  }

  connect(options: ConnectOptions | string): this {
    return this.add(methods.connect(options));
  }

  joinConference(options: JoinConferenceOptions | string): this {
    return this.add(methods.joinConference(options));
  }

  sendDigits(options: { digits: string } | string): this {
    return this.add(methods.sendDigits(options));
  }

  sleep(milliseconds: NumberOrVariable): this {
    return this.add(methods.sleep(milliseconds));
  }

  request(options: RequestOptions): this {
    return this.add(methods.request(options));
  }

  set(variables: Readonly<Record<string, unknown>>): this {
    return this.add(methods.set(variables));
  }

  unset(names: string | readonly string[]): this {
    return this.add(methods.unset(names));
  }

  cond(...conditions: readonly Condition[]): this {
    return this.add(methods.cond(...conditions));
  }

  switch(options: Switch): this {
    return this.add(methods.switchOn(options));
  }

  goto(options: GotoOptions | string): this {
    return this.add(methods.goto(options));
  }

  label(name: string): this {
    return this.add(methods.label(name));
  }

  execute(options: ExecuteOptions | string): this {
    return this.add(methods.execute(options));
  }

  return(value?: unknown): this {
    return this.add(methods.returnValue(value));
  }

  transfer(options: TransferOptions | string): this {
    return this.add(methods.transfer(options));
  }

  userEvent(event: Readonly<Record<string, unknown>>): this {
    return this.add(methods.userEvent(event));
  }
}

/** A list of steps that grows by calls, to stand inside another step: `steps().play('say:Hello').hangup()`. */
export class Steps extends StepMethods {
  readonly #steps: Step[] = [];

  add(...steps: readonly Step[]): this {
    this.#steps.push(...steps);
    return this;
  }

  toJSON(): Step[] {
    return [...this.#steps];
  }
}

export function steps(): Steps {
  return new Steps();
}

/** A document as the vendor writes it. */
export interface SwmlDocument {
  version: '1.0.0';
  sections: { main: Step[]; [section: string]: Step[] };
}

/** A document whose main section grows by calls; `JSON.stringify` makes its text. */
export class SwmlBuilder extends StepMethods {
  readonly #main = new Steps();
  readonly #sections = new Map<string, StepList>();

  add(...steps: readonly Step[]): this {
    this.#main.add(...steps);
    return this;
  }

  /** Another section, for `execute` and `transfer`: a list of steps, or what fills it. */
  section(name: string, content: StepList | ((steps: Steps) => void)): this {
    if (name === 'main' || this.#sections.has(name))
      throw new TypeError(`there is a section "${name}" already`);
    if (typeof content !== 'function') this.#sections.set(name, content);
    else {
      const filled = new Steps();
      content(filled);
      this.#sections.set(name, filled);
    }
    return this;
  }

  toJSON(): SwmlDocument {
    const sections: SwmlDocument['sections'] = { main: this.#main.toJSON() };
    for (const [name, content] of this.#sections) sections[name] = methods.stepsOf(content);
    return { version: '1.0.0', sections };
  }
}

/** A SWML document: `swml().answer().recordCall({ stereo: true }).play('say:Hello')`. */
export function swml(): SwmlBuilder {
  return new SwmlBuilder();
}
