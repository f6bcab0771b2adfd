import { loadConfig } from '../config.ts';
import { CallreelError } from '../errors.ts';
import { readServerAddress } from '../server-address.ts';
import { type Command, parseCommandLine } from './command.ts';
import {
  checkCertificate,
  checkClock,
  checkDataDir,
  checkDisk,
  checkMasterKey,
  checkNode,
  checkOpenFiles,
  checkPorts,
  checkPostgres,
  type Finding,
} from './doctor-checks.ts';
import { print, printable, printJson } from './output.ts';

const marks = { ok: 'ok  ', warning: 'WARN', failure: 'FAIL' } as const;

export const doctorCommands: Command[] = [
  {
    words: ['doctor'],
    summary: 'is this machine fit to run the server?',
    usage: '[--json]',
    details:
      '  --json           the findings as JSON\n\nEnds with code 1 when something keeps the server from working.',
    async run(args) {
      const { values } = parseCommandLine(args, { json: { type: 'boolean', default: false } });
      const findings = await examine();
      if (values.json) printJson(findings);
      else for (const finding of findings) print(describe(finding));
      if (findings.some(({ result }) => result === 'failure')) process.exitCode = 1;
    },
  },
];

/** Without a readable configuration there is nothing more to look at than the machine. */
async function examine(): Promise<Finding[]> {
  const machine = [checkNode(), checkOpenFiles(), checkClock()];
  try {
    const config = loadConfig();
    const settings: Finding = { what: 'configuration', result: 'ok', detail: `data in ${config.dataDir}` };
    const isRunning = await answers(readServerAddress(config.dataDir));
    return [
      ...machine,
      settings,
      checkPostgres(config),
      checkDataDir(config),
      checkDisk(config),
      checkMasterKey(config),
      ...checkCertificate(config),
      ...(await checkPorts(config, isRunning)),
    ];
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    const { message, todo } = error;
    return [...machine, { what: 'configuration', result: 'failure', detail: message, todo }];
  }
}

async function answers(url: string | undefined): Promise<boolean> {
  if (url === undefined) return false;
  try {
    return (await fetch(new URL('/health', url))).ok;
  } catch {
    return false;
  }
}

function describe({ what, result, detail, todo }: Finding): string {
  const line = `${marks[result]}  ${what}: ${printable(detail)}`;
  return todo === undefined ? line : `${line}\n      ${todo}`;
}
