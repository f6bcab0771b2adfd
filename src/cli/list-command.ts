import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine } from './command.ts';
import { printJson, printTable } from './output.ts';

/** What narrows a list. */
export interface ListOption {
  /** `state` of `--state`. */
  name: string;
  /** In its help: `STATE`. */
  value: string;
  help: string;
  /** The API's name of it, where that is another. */
  query?: string;
  choices?: readonly string[];
}

export interface ListCommandOptions<Row> {
  words: readonly string[];
  summary: string;
  usage: string;
  path: string;
  options: readonly ListOption[];
  /** Cells by their headings. */
  columns: Readonly<Record<string, (row: Row) => unknown>>;
}

const defaultLimit = 50;
const helpColumn = 20;

/** A command that shows a list of the API, page after page, as a table. */
export function listCommand<Row>(about: ListCommandOptions<Row>): Command {
  const { words, summary, usage, path, options, columns } = about;
  const limitHelp = { name: 'limit', value: 'N', help: `${defaultLimit} unless given` };
  return {
    words,
    summary,
    usage: `${usage} [--limit N]`,
    details: `${[...options, limitHelp].map(helpLine).join('\n')}\n${serverOptionsHelp}`,
    async run(args) {
      const text = { type: 'string' } as const;
      const taken = Object.fromEntries(options.map(({ name }) => [name, text]));
      const { values } = parseCommandLine(args, { ...taken, limit: text, ...serverOptions });
      const given: Record<string, unknown> = values;
      const query = Object.fromEntries(
        options.map(({ name, query = name, choices }) => {
          const value = given[name] as string | undefined;
          return [query, choices ? oneOf(value, name, choices) : value];
        }),
      );
      const limit = numeric(values.limit, 'limit') ?? defaultLimit;
      const rows = await ApiClient.open(values).list<Row>(path, query, limit);
      if (values.json) return printJson(rows);
      printTable(
        Object.keys(columns),
        rows.map((row) => Object.values(columns).map((cellOf) => cellOf(row))),
      );
    },
  };
}

function helpLine({ name, value, help }: Pick<ListOption, 'name' | 'value' | 'help'>): string {
  return `  ${`--${name} ${value}`.padEnd(helpColumn)}${help}`;
}
