import {
  type CallClientOptions,
  type CallPhoneOptions,
  type Command,
  callClient,
  callPhone,
  type GetDigitsOptions,
  type GetNameOptions,
  type GetNumberOptions,
  getDigits,
  getName,
  getNumber,
  hangUp,
  type JoinConferenceOptions,
  joinConference,
  type PlayOptions,
  play,
  type SayOptions,
  say,
} from './commands.ts';

/** What `on_incoming` and every `on_done` answer with. */
export interface RoutineDocument {
  routine: Command[];
}

/** A list of commands that are done in order; `JSON.stringify` makes the document of it. */
export class Routine {
  readonly #commands: Command[];

  constructor(commands: readonly Command[] = []) {
    this.#commands = [...commands];
  }

  say(options: SayOptions | string): this {
    return this.add(say(options));
  }

  play(options: PlayOptions | string): this {
    return this.add(play(options));
  }

  getDigits(options?: GetDigitsOptions): this {
    return this.add(getDigits(options));
  }

  getNumber(options?: GetNumberOptions): this {
    return this.add(getNumber(options));
  }

  getName(options?: GetNameOptions): this {
    return this.add(getName(options));
  }

  joinConference(options: JoinConferenceOptions): this {
    return this.add(joinConference(options));
  }

  callPhone(options: CallPhoneOptions | string): this {
    return this.add(callPhone(options));
  }

  callClient(options: CallClientOptions | string): this {
    return this.add(callClient(options));
  }

  hangUp(): this {
    return this.add(hangUp());
  }

  add(...commands: readonly Command[]): this {
    this.#commands.push(...commands);
    return this;
  }

  toJSON(): RoutineDocument {
    return { routine: [...this.#commands] };
  }
}

/** A routine of these commands, to which more can be added. */
export function routine(...commands: readonly Command[]): Routine {
  return new Routine(commands);
}
