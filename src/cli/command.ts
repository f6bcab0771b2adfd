import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { CallreelError } from '../errors.ts';

/** One command of the command line, as `trunk add`. */
export interface Command {
  /** The words that call it. */
  words: readonly string[];
  /** One line for the list of commands. */
  summary: string;
  /** What follows the words: `NAME [--host HOST]`. */
  usage: string;
  /** Every option and whatever else there is to know, for `--help`. */
  details: string;
  /** @throws CallreelError whatever is wrong; it is printed with what to do */
  run(args: string[]): Promise<void>;
}

/**
 * `node:util.parseArgs` with the catalogue's errors. `positionals` names what must stand there, in order.
 * @throws CallreelError USAGE
 */
export function parseCommandLine<const Options extends ParseArgsOptionsConfig>(
  args: string[],
  options: Options,
  positionals: readonly string[] = [],
) {
  const parsed = parse(args, options);
  const missing = positionals[parsed.positionals.length];
  if (missing !== undefined) throw new CallreelError('USAGE', `${missing} is missing`);
  const surplus = parsed.positionals[positionals.length];
  if (surplus !== undefined) throw new CallreelError('USAGE', `there is no place for "${surplus}"`);
  return parsed;
}

function parse<const Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's messages name the option; what it says after the first sentence is about dashes.
    throw new CallreelError('USAGE', (error as Error).message.split('. ')[0] ?? 'wrong option');
  }
}

/** @throws CallreelError USAGE */
export function required(value: string | undefined, option: string): string {
  if (value !== undefined && value !== '') return value;
  throw new CallreelError('USAGE', `--${option} is missing`);
}

/** @throws CallreelError USAGE */
export function numeric(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() !== '' && Number.isFinite(number)) return number;
  throw new CallreelError('USAGE', `--${option} wants a number`, { where: value });
}

/** @throws CallreelError USAGE */
export function oneOf<const Choice extends string>(
  value: string | undefined,
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const choice = choices.find((candidate) => candidate === value);
  if (value === undefined || choice !== undefined) return choice;
  throw new CallreelError('USAGE', `--${option} wants ${listed(choices)}`, { where: value });
}

/** `a, b or c`. */
function listed(choices: readonly string[]): string {
  return [choices.slice(0, -1).join(', '), ...choices.slice(-1)].filter((part) => part !== '').join(' or ');
}
