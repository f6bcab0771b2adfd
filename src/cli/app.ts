import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, oneOf, parseCommandLine } from './command.ts';
import { parseDocumentFile } from './document-lines.ts';
import { print, printFields, printJson, printTable } from './output.ts';
import { checkSvamlFile } from './svaml-file.ts';
import { checkSwmlFile } from './swml-file.ts';

const dialects = ['sift', 'signalwire', 'sinch'] as const;

interface Application {
  app_id: string;
  name: string;
  dialect: (typeof dialects)[number];
  url: string | null;
  document: unknown;
  numbers: string[];
  /** Of a new one of the dialect sinch. */
  secret?: string;
  /** In answers to a change: numbers that another application answered until now. */
  taken_numbers?: { number: string; former_app_id: string }[];
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
      const applications = await ApiClient.open(values).list<Application>('/v1/applications', {}, maxListed);
      if (values.json) return printJson(applications);
      printTable(
        ['APP ID', 'NAME', 'DIALECT', 'NUMBERS', 'ANSWERED BY'],
        applications.map((app) => [
          app.app_id,
          app.name,
          app.dialect,
          app.numbers.join(' ') || null,
          app.url ?? (app.document === null ? null : 'its own document'),
        ]),
      );
    },
  },
  {
    words: ['app', 'create'],
    summary: 'a new application',
    usage: '--name NAME [--dialect sift|signalwire|sinch] (--on-incoming URL | --document FILE)',
    details: `  --name NAME         what you call it
  --dialect DIALECT   sift (routines; unless given), signalwire (SWML) or sinch (SVAML)
  --on-incoming URL   asked by POST what to do with each call
  --fallback-url URL  asked where that fails; sinch only
  --document FILE     what to do with each call, JSON or YAML: used when there is no --on-incoming
  --routine FILE      the same
  --number NUMBER     a number it answers; may be repeated

One of sinch needs neither, and has a secret: that is shown here, and never again.
${serverOptionsHelp}`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        ...serverOptions,
        name: { type: 'string' },
        dialect: { type: 'string' },
        'on-incoming': { type: 'string' },
        'fallback-url': { type: 'string' },
        document: { type: 'string' },
        routine: { type: 'string' },
        number: { type: 'string', multiple: true },
      });
      const { name, 'on-incoming': url, document: file = values.routine, number } = values;
      const dialect = oneOf(values.dialect, 'dialect', dialects) ?? 'sift';
      if (url === undefined && file === undefined && dialect !== 'sinch')
        throw new CallreelError('USAGE', '--on-incoming or --document is missing');
      const document = file === undefined ? undefined : documentOf(dialect, file);
      const fallback = values['fallback-url'];
      const body = { name, dialect, url, fallback_url: fallback, document, numbers: number };
      const created = await ApiClient.open(values).post<Application>('/v1/applications', body);
      if (values.json) return printJson(created);
      printFields({
        'app id': created.app_id,
        name: created.name,
        dialect: created.dialect,
        ...(created.secret !== undefined && { secret: created.secret }),
        numbers: created.numbers.join(' ') || null,
        ...(created.taken_numbers?.length && {
          'taken from': created.taken_numbers
            .map(({ number, former_app_id }) => `${former_app_id} (${number})`)
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
      await ApiClient.open(values).delete(`/v1/applications/${encodeURIComponent(positionals[0]!)}`);
      print(`deleted ${positionals[0]}`);
    },
  },
];

/** Checked here first, so that a mistake is named by its line. SWML and SVAML go as text: their readers know it better. */
function documentOf(dialect: Application['dialect'], file: string): unknown {
  const text = readDocument(file);
  if (dialect === 'sift') return parseDocumentFile(file, text).value;
  if (dialect === 'sinch') checkSvamlFile(file, text);
  else checkSwmlFile(file, text);
  return text;
}

/** @throws CallreelError FILE_UNUSABLE */
export function readDocument(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${path} cannot be read`, { where: path, cause });
  }
}
