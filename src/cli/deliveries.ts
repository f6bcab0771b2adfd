import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, oneOf, parseCommandLine } from './command.ts';
import { credentialsHelp, credentialsOption, givenCredentials } from './destination-credentials.ts';
import { listCommand } from './list-command.ts';
import { print, printJson } from './output.ts';

interface Delivery {
  delivery_id: string;
  recording_id: string;
  destination: string;
  state: string;
  attempts: number;
  next_attempt_at: string | null;
  error: { code: string; message: string } | null;
  created_at: string;
}

interface Trial {
  objects: { url: string; way: 'whole' | 'parts' }[];
  bytes: number;
  content_type: string;
  warning: string | null;
}

const states = ['waiting', 'uploading', 'failing', 'delivered', 'dead', 'abandoned'] as const;

export const deliveryCommands: Command[] = [
  listCommand<Delivery>({
    words: ['deliveries', 'list'],
    summary: 'files on their way to their destinations, the latest first',
    usage: '[--state dead] [--recording ID]',
    path: '/v1/deliveries',
    options: [
      {
        ...{ name: 'state', value: 'STATE', choices: states },
        help: `${states.join(', ')}; dead: given up, somebody has to see to it`,
      },
      { name: 'recording', value: 'ID', query: 'recording_id', help: 'only of this recording' },
    ],
    columns: {
      'DELIVERY ID': (row) => row.delivery_id,
      CREATED: (row) => row.created_at,
      'RECORDING ID': (row) => row.recording_id,
      STATE: (row) => row.state,
      ATTEMPTS: (row) => row.attempts,
      NEXT: (row) => row.next_attempt_at,
      DESTINATION: (row) => row.destination,
      ERROR: ({ error }) => error && `${error.code}: ${error.message}`,
    },
  }),
  {
    words: ['deliveries', 'retry'],
    summary: 'deliver a file once more, also with other credentials or elsewhere',
    usage: `DELIVERY_ID [--destination URL] [--credentials-file FILE]`,
    details: `  --destination URL        where to, unless it is where it was to go before
${credentialsHelp}; else those that it had
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        { ...serverOptions, ...credentialsOption, destination: { type: 'string' } },
        ['DELIVERY_ID'],
      );
      const path = `/v1/deliveries/${encodeURIComponent(positionals[0]!)}/deliver`;
      const credentials = givenCredentials(values['credentials-file']);
      const body = { url: values.destination, credentials };
      const delivery = await ApiClient.open(values).post<Delivery>(path, body);
      if (values.json) return printJson(delivery);
      print(`${delivery.delivery_id} is on its way to ${delivery.destination}`);
    },
  },
  {
    words: ['destinations', 'test'],
    summary: 'write a small file where recordings are to go, and say what is wrong',
    usage: 'DESTINATION [--credentials-file FILE] [--format wav|mp3|mp4] [--overwrite]',
    details: `  DESTINATION              s3://bucket/folder/, gs://bucket/, azure://account/container/, sdrive:// or file:///folder/
${credentialsHelp}
  --format FORMAT          wav unless given
  --overwrite              under the very name in the URL, in place of what is there
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        {
          ...serverOptions,
          ...credentialsOption,
          format: { type: 'string' },
          overwrite: { type: 'boolean', default: false },
        },
        ['DESTINATION'],
      );
      const credentials = givenCredentials(values['credentials-file']);
      const trial = await ApiClient.open(values).post<Trial>('/v1/destinations/test', {
        destination: { url: positionals[0], credentials },
        format: oneOf(values.format, 'format', ['wav', 'mp3', 'mp4']),
        overwrite: values.overwrite,
      });
      if (values.json) return printJson(trial);
      for (const { url, way } of trial.objects)
        print(`written ${way === 'whole' ? 'as a whole' : 'in parts'}: ${url}`);
      print(`${trial.bytes} bytes of ${trial.content_type} each; they stay there`);
      if (trial.warning !== null) print(`warning: ${trial.warning}`);
    },
  },
];
