import { CallreelError } from '../errors.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { describeError, print } from './output.ts';

const failed = 1;
const misused = 2;

function nameOf({ words, usage }: Command): string {
  return [...words, usage].filter((part) => part !== '').join(' ');
}

function listHelp(listed: readonly Command[]): string {
  const width = Math.max(...listed.map(({ words }) => words.join(' ').length));
  const lines = listed.map(({ words, summary }) => `  ${words.join(' ').padEnd(width)}  ${summary}`);
  return `Usage: callreel COMMAND [OPTIONS]

${lines.join('\n')}

\`callreel COMMAND --help\` tells more. Ends with code 0 when done, 1 when something failed, 2 when misused.`;
}

function commandHelp(command: Command): string {
  return `Usage: callreel ${nameOf(command)}\n\n${command.summary}\n\n${alignOptions(command.details)}`;
}

/** One column for all options of a command, whichever file they were written in. */
function alignOptions(details: string): string {
  const lines = details
    .split('\n')
    .map((line) => /^( {2}\S.*?| {4}) {2,}(\S.*)$/.exec(line) ?? [line, undefined, '']);
  const width = Math.max(0, ...lines.map(([, option = '']) => option.length));
  return lines
    .map(([line, option, text]) => (option === undefined ? line : `${option.padEnd(width)}  ${text}`))
    .join('\n');
}

function find(args: readonly string[]): Command | undefined {
  return commands.find(({ words }) => words.every((word, index) => args[index] === word));
}

/** Help where help was asked for, or the command. @throws CallreelError */
async function run(args: readonly string[]): Promise<void> {
  const command = find(args);
  const wantsHelp = args.some((arg) => arg === '--help' || arg === '-h') || args[0] === 'help';
  if (command && wantsHelp) return print(commandHelp(command));
  if (command) return command.run(args.slice(command.words.length));
  const ofNoun = commands.filter(({ words }) => words[0] === args[0]);
  if (wantsHelp) return print(listHelp(ofNoun.length > 0 ? ofNoun : commands));
  const asked = args.slice(0, 2).filter((arg) => !arg.startsWith('-'));
  process.stderr.write(`${listHelp(ofNoun.length > 0 ? ofNoun : commands)}\n\n`);
  throw new CallreelError(
    'USAGE',
    asked.length === 0 ? 'no command' : `there is no command "${asked.join(' ')}"`,
  );
}

/** A reader that has seen enough, as `head`, is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : failed);
});

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof CallreelError) process.stderr.write(`${describeError(error)}\n`);
  else
    process.stderr.write(
      `callreel: INTERNAL: an unexpected error; please report it\n${(error as Error).stack}\n`,
    );
  process.exitCode = error instanceof CallreelError && error.code === 'USAGE' ? misused : failed;
}
