import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, parseCommandLine } from './command.ts';
import { credentialsHelp, credentialsOption, givenCredentials } from './destination-credentials.ts';
import { listCommand } from './list-command.ts';
import { print, printFields, printJson } from './output.ts';

interface Failure {
  error: { code: string; message: string } | null;
}

interface ListedTranscript extends Failure {
  recording_id: string;
  started_at: string;
  state: string;
  locale: string;
  hits: { offset_ms: number; speaker_label: string; text: string }[];
}

interface Transcript extends Failure {
  recording_id: string;
  state: string;
  locale: string;
  engine: string | null;
  lines: { start_ms: number; speaker_label: string; text: string }[];
}

const states = ['waiting', 'running', 'failing', 'done', 'dead', 'abandoned'] as const;

function errorText({ error }: Failure): string | null {
  return error && `${error.code}: ${error.message}`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}

export const transcriptCommands: Command[] = [
  listCommand<ListedTranscript>({
    words: ['transcripts', 'list'],
    summary: 'transcripts of recordings, the latest first, or those in which something was said',
    usage: '[--state dead] [--said WORDS]',
    path: '/v1/transcripts',
    options: [
      {
        ...{ name: 'state', value: 'STATE', choices: states },
        help: `${states.join(', ')}; dead: given up, somebody has to see to it`,
      },
      {
        ...{ name: 'said', value: 'WORDS', query: 'q' },
        help: 'only those, and where it was said: words that are all there, "a phrase", or, -without',
      },
    ],
    columns: {
      'RECORDING ID': (row) => row.recording_id,
      STARTED: (row) => row.started_at,
      STATE: (row) => row.state,
      LOCALE: (row) => row.locale,
      ERROR: errorText,
      SAID: ({ hits }) =>
        hits.map(({ offset_ms, text }) => `${seconds(offset_ms)} ${text}`).join(' | ') || null,
    },
  }),
  {
    words: ['recordings', 'transcript'],
    summary: 'what was said in a recording',
    usage: 'RECORDING_ID',
    details: serverOptionsHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['RECORDING_ID']);
      const path = `/v1/recordings/${encodeURIComponent(positionals[0]!)}/transcript`;
      const transcript = await ApiClient.open(values).get<Transcript>(path);
      if (values.json) return printJson(transcript);
      const { state, locale, engine, lines } = transcript;
      printFields({ state, locale, engine, error: errorText(transcript) });
      print('');
      for (const { start_ms, speaker_label, text } of lines)
        print(`${seconds(start_ms).padStart(8)}  ${speaker_label}: ${text}`);
    },
  },
  {
    words: ['recordings', 'transcribe'],
    summary: 'transcribe an ended recording, for the first time or once more',
    usage: 'RECORDING_ID [--locale LOCALE] [--credentials-file FILE]',
    details: `  --locale LOCALE          in which is spoken; unless given the one it had, at first en-US
${credentialsHelp}; else those that the recording had
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        { ...serverOptions, ...credentialsOption, locale: { type: 'string' } },
        ['RECORDING_ID'],
      );
      const path = `/v1/recordings/${encodeURIComponent(positionals[0]!)}/transcribe`;
      const credentials = givenCredentials(values['credentials-file']);
      const body = { locale: values.locale, credentials };
      const transcript = await ApiClient.open(values).post<Transcript>(path, body);
      if (values.json) return printJson(transcript);
      print(`${transcript.recording_id} is transcribed, in ${transcript.locale}`);
    },
  },
];
