import { loadConfig, printConfig } from '../config.ts';
import { type Command, parseCommandLine } from './command.ts';

export const serveCommands: Command[] = [
  {
    words: ['serve'],
    summary: 'start the server',
    usage: '[--print-config]',
    details: `  --print-config   print every setting with its value instead, secrets hidden

Settings come from their defaults, then callreel.yaml (or the file that CALLREEL_CONFIG names), then CALLREEL_*
variables. SIGTERM and SIGINT stop taking calls and let running ones go on for \`drainSeconds\`.`,
    async run(args) {
      const { values } = parseCommandLine(args, { 'print-config': { type: 'boolean', default: false } });
      if (values['print-config']) process.stdout.write(printConfig(loadConfig()));
      else await import('../main.ts');
    },
  },
];
