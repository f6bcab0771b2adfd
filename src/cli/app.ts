import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, parseCommandLine } from './command.ts';
import { parseDocumentFile } from './document-lines.ts';
import { print, printFields, printJson, printTable } from './output.ts';

interface Application {
  app_id: string;
  name: string;
  on_incoming: string | null;
  default_routine: unknown[] | null;
  phone_numbers: string[];
  /** In answers to a change: numbers that another application answered until now. */
  taken_numbers?: { phone_number: string; former_app_id: string }[];
}

const maxListed = 10_000;

export const appCommands: Command[] = [
  {
    words: ['app', 'list'],
    summary: 'the applications and their numbers',
    usage: '',
    details: serverOptionsHelp,
    async run(args) {
      const { values } = parseCommandLine(args, serverOptions);
      const applications = await ApiClient.open(values).list<Application>('/v0/applications', {}, maxListed);
      if (values.json) return printJson(applications);
      printTable(
        ['APP ID', 'NAME', 'NUMBERS', 'ANSWERED BY'],
        applications.map((app) => [
          app.app_id,
          app.name,
          app.phone_numbers.join(' ') || null,
          app.on_incoming ?? (app.default_routine ? 'its default routine' : null),
        ]),
      );
    },
  },
  {
    words: ['app', 'create'],
    summary: 'a new application',
    usage: '--name NAME (--on-incoming URL | --routine FILE)',
    details: `  --name NAME         what you call it
  --on-incoming URL   asked by POST what to do with each call
  --routine FILE      default routine, JSON or YAML: used when there is no --on-incoming
  --number NUMBER     a number it answers; may be repeated
${serverOptionsHelp}`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        ...serverOptions,
        name: { type: 'string' },
        'on-incoming': { type: 'string' },
        routine: { type: 'string' },
        number: { type: 'string', multiple: true },
      });
      const { name, 'on-incoming': onIncoming, routine, number } = values;
      if (onIncoming === undefined && routine === undefined)
        throw new CallreelError('USAGE', '--on-incoming or --routine is missing');
      const created = await ApiClient.open(values).post<Application>('/v0/applications', {
        name,
        on_incoming: onIncoming,
        default_routine: routine === undefined ? undefined : readRoutine(routine),
        phone_numbers: number,
      });
      if (values.json) return printJson(created);
      printFields({
        'app id': created.app_id,
        name: created.name,
        numbers: created.phone_numbers.join(' ') || null,
        ...(created.taken_numbers && {
          'taken from': created.taken_numbers
            .map(({ phone_number, former_app_id }) => `${former_app_id} (${phone_number})`)
            .join(' '),
        }),
      });
    },
  },
  {
    words: ['app', 'delete'],
    summary: 'an application goes, its numbers become free',
    usage: 'APP_ID',
    details: serverOptionsHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['APP_ID']);
      await ApiClient.open(values).delete(`/v0/applications/${encodeURIComponent(positionals[0]!)}`);
      print(`deleted ${positionals[0]}`);
    },
  },
];

function readRoutine(path: string): unknown {
  return parseDocumentFile(path, readDocument(path)).value;
}

/** @throws CallreelError FILE_UNUSABLE */
export function readDocument(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${path} cannot be read`, { where: path, cause });
  }
}
