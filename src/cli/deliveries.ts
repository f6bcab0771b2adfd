import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine } from './command.ts';
import { print, printJson, printTable } from './output.ts';
import { readSecretFile } from './secret-file.ts';

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

const defaultLimit = 50;
const states = ['waiting', 'uploading', 'failing', 'delivered', 'dead', 'abandoned'] as const;
const credentialsVariable = 'DESTINATION_CREDENTIALS';
const credentialsOption = { 'credentials-file': { type: 'string' } } as const;
const credentialsHelp = `  --credentials-file FILE  holds them; - reads them from the standard input. Without it they are those of the
                      variable ${credentialsVariable}, if it is set`;

/** @throws CallreelError FILE_UNUSABLE */
function givenCredentials(file: string | undefined): string | undefined {
  return file === undefined ? process.env[credentialsVariable] || undefined : readSecretFile(file);
}

export const deliveryCommands: Command[] = [
  {
    words: ['deliveries', 'list'],
    summary: 'files on their way to their destinations, the latest first',
    usage: '[--state dead] [--recording ID] [--limit N]',
    details: `  --state STATE       ${states.join(', ')}; dead: given up, somebody has to see to it
  --recording ID      only of this recording
  --limit N           ${defaultLimit} unless given
${serverOptionsHelp}`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        ...serverOptions,
        state: { type: 'string' },
        recording: { type: 'string' },
        limit: { type: 'string' },
      });
      const query = {
        state: oneOf(values.state, 'state', states),
        recording_id: values.recording,
      };
      const limit = numeric(values.limit, 'limit') ?? defaultLimit;
      const deliveries = await ApiClient.open(values).list<Delivery>('/v1/deliveries', query, limit);
      if (values.json) return printJson(deliveries);
      printTable(
        ['DELIVERY ID', 'CREATED', 'RECORDING ID', 'STATE', 'ATTEMPTS', 'NEXT', 'DESTINATION', 'ERROR'],
        deliveries.map((delivery) => [
          delivery.delivery_id,
          delivery.created_at,
          delivery.recording_id,
          delivery.state,
          delivery.attempts,
          delivery.next_attempt_at,
          delivery.destination,
          delivery.error && `${delivery.error.code}: ${delivery.error.message}`,
        ]),
      );
    },
  },
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
