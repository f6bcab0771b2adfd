import { snakeCased } from '../snake-case.ts';
import type {
  AnswerOptions,
  Condition,
  ConnectOptions,
  Device,
  ExecuteOptions,
  GotoOptions,
  HangupOptions,
  JoinConferenceOptions,
  PlayOptions,
  PromptOptions,
  RecordCallOptions,
  RecordOptions,
  RequestOptions,
  ResultSteps,
  Step,
  StepList,
  StopRecordCallOptions,
  Switch,
  TransferOptions,
} from './options.ts';
import type { NumberOrVariable, Sound } from './values.ts';

/** The steps as they stand in a document. */
export function stepsOf(steps: StepList): Step[] {
  return 'toJSON' in steps ? steps.toJSON() : [...steps];
}

function conditionsOf(conditions: readonly Condition[]): object[] {
  return conditions.map((condition) => {
    const otherwise = condition.else && { else: stepsOf(condition.else) };
    if (!('when' in condition)) return { ...otherwise };
    return { when: condition.when, then: stepsOf(condition.then), ...otherwise };
  });
}

function switchOf({ variable, case: cases, default: otherwise }: Partial<Switch> & Pick<Switch, 'case'>) {
  return snakeCased({
    variable,
    case: Object.fromEntries(Object.entries(cases).map(([value, steps]) => [value, stepsOf(steps)])),
    default: otherwise && stepsOf(otherwise),
  });
}

function resultOf(result: ResultSteps | undefined): object | undefined {
  if (result === undefined) return undefined;
  return 'case' in result ? switchOf(result) : conditionsOf(result);
}

/** Answers the call. */
export function answer(options?: AnswerOptions): Step {
  return { answer: snakeCased(options) };
}

/** Ends the call. */
export function hangup(options?: HangupOptions): Step {
  return { hangup: snakeCased(options) };
}

/** Plays files, texts, silence or ringing, one after another. */
export function play(options: PlayOptions | Sound | readonly Sound[]): Step {
  if (typeof options === 'string') return { play: { url: options } };
  return { play: 'url' in options || 'urls' in options ? snakeCased(options) : { urls: options } };
}

/** Plays and collects key presses, or what is said: `prompt_value`. */
export function prompt(options: PromptOptions): Step {
  return { prompt: snakeCased(options) };
}

/** Records, and goes on when the recording has ended: `record_url`. */
export function record(options?: RecordOptions): Step {
  return { record: snakeCased(options) };
}

/** Records the call while the steps go on: `record_call_url`, `record_control_id`. */
export function recordCall(options?: RecordCallOptions): Step {
  return { record_call: snakeCased(options) };
}

/** Ends a recording of `recordCall`: the one of that name, or the last. */
export function stopRecordCall(which?: StopRecordCallOptions | string): Step {
  return { stop_record_call: snakeCased(typeof which === 'string' ? { controlId: which } : which) };
}

const devicesOf = (devices: readonly Device[]) => devices.map(snakeCased);

/** Calls one party, or several: one after another, at once, or in groups one after another. */
export function connect(options: ConnectOptions | string): Step {
  if (typeof options === 'string') return { connect: { to: options } };
  const { serial, parallel, serialParallel, ringback, result } = options;
  return {
    connect: snakeCased({
      ...options,
      serial: serial && devicesOf(serial),
      parallel: parallel && devicesOf(parallel),
      serialParallel: serialParallel?.map(devicesOf),
      ringback: ringback && ('url' in ringback || 'urls' in ringback ? snakeCased(ringback) : ringback),
      result: resultOf(result),
    }),
  };
}

/** Puts the call into a conference. */
export function joinConference(options: JoinConferenceOptions | string): Step {
  const { result, ...plain } = typeof options === 'string' ? { name: options } : options;
  return { join_conference: snakeCased({ ...plain, result: resultOf(result) }) };
}

/** Sends key presses: 0-9 * # A-D, `w` for half a second, `W` for a second. */
export function sendDigits(options: { digits: string } | string): Step {
  return { send_digits: { digits: typeof options === 'string' ? options : options.digits } };
}

/** @param milliseconds -1 until the call ends */
export function sleep(milliseconds: NumberOrVariable): Step {
  return { sleep: milliseconds };
}

/** Asks a server of yours. */
export function request(options: RequestOptions): Step {
  return { request: snakeCased(options) };
}

/** Sets variables. */
export function set(variables: Readonly<Record<string, unknown>>): Step {
  return { set: variables };
}

/** Removes variables. */
export function unset(names: string | readonly string[]): Step {
  return { unset: names };
}

/** Runs the steps of the first condition that holds. */
export function cond(...conditions: readonly Condition[]): Step {
  return { cond: conditionsOf(conditions) };
}

/** Runs the steps of a variable's value: SWML's `switch`. */
export function switchOn(options: Switch): Step {
  return { switch: switchOf(options) };
}

/** Jumps to a label of this section. */
export function goto(options: GotoOptions | string): Step {
  return { goto: snakeCased(typeof options === 'string' ? { label: options } : options) };
}

/** A place to jump to. */
export function label(name: string): Step {
  return { label: name };
}

/** Runs another section or document and comes back. */
export function execute(options: ExecuteOptions | string): Step {
  const { onReturn, result, ...plain }: ExecuteOptions =
    typeof options === 'string' ? { dest: options } : options;
  return {
    execute: snakeCased({
      ...plain,
      onReturn: onReturn && stepsOf(onReturn),
      result: resultOf(result),
    }),
  };
}

/** Comes back from `execute`, or ends the script: SWML's `return`. */
export function returnValue(value: unknown = {}): Step {
  return { return: value };
}

/** Goes on with another section or document, for good. */
export function transfer(options: TransferOptions | string): Step {
  return { transfer: snakeCased(typeof options === 'string' ? { dest: options } : options) };
}

/** Sends an event of your own. */
export function userEvent(event: Readonly<Record<string, unknown>>): Step {
  return { user_event: { event } };
}
