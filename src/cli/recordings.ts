import { CallreelError } from '../errors.ts';
import { ApiClient, request, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, numeric, oneOf, parseCommandLine } from './command.ts';
import { saveBody } from './download.ts';
import { print, printFields, printJson, printTable } from './output.ts';

interface Recording {
  recording_id: string;
  conversation_id: string;
  state: string;
  reason: string | null;
  rate_hz: number;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
}

interface Files {
  wav_file: string;
  mp3_file: string;
}

interface Channel extends Files {
  channel_id: string;
  connection_id: string;
  from: string;
  to: string;
  start_ms: number;
  end_ms: number | null;
  no_media: boolean | null;
}

interface WholeRecording extends Recording {
  mix: Files;
  channels: Channel[];
}

const defaultLimit = 50;

function seconds(durationMs: number | null): string | null {
  return durationMs === null ? null : (durationMs / 1000).toFixed(1);
}

function fetchRecording(api: ApiClient, recordingId: string): Promise<WholeRecording> {
  return api.get(`/v1/recordings/${encodeURIComponent(recordingId)}`);
}

export const recordingCommands: Command[] = [
  {
    words: ['recordings', 'list'],
    summary: 'recordings, the latest first',
    usage: '[--conversation ID] [--limit N]',
    details: `  --conversation ID   only of this conversation
  --limit N           ${defaultLimit} unless given
${serverOptionsHelp}`,
    async run(args) {
      const { values } = parseCommandLine(args, {
        ...serverOptions,
        conversation: { type: 'string' },
        limit: { type: 'string' },
      });
      const query = { conversation_id: values.conversation };
      const limit = numeric(values.limit, 'limit') ?? defaultLimit;
      const recordings = await ApiClient.open(values).list<Recording>('/v1/recordings', query, limit);
      if (values.json) return printJson(recordings);
      printTable(
        ['RECORDING ID', 'CONVERSATION ID', 'STARTED', 'SECONDS', 'STATE', 'REASON'],
        recordings.map((row) => [
          row.recording_id,
          row.conversation_id,
          row.started_at,
          seconds(row.duration_ms),
          row.state,
          row.reason,
        ]),
      );
    },
  },
  {
    words: ['recordings', 'show'],
    summary: 'one recording with its channels',
    usage: 'RECORDING_ID',
    details: serverOptionsHelp,
    async run(args) {
      const { values, positionals } = parseCommandLine(args, serverOptions, ['RECORDING_ID']);
      const recording = await fetchRecording(ApiClient.open(values), positionals[0]!);
      if (values.json) return printJson(recording);
      printFields({
        'recording id': recording.recording_id,
        'conversation id': recording.conversation_id,
        state: recording.state,
        reason: recording.reason,
        'rate in Hz': recording.rate_hz,
        started: recording.started_at,
        ended: recording.ended_at,
        seconds: seconds(recording.duration_ms),
      });
      print('');
      printTable(
        ['CHANNEL ID', 'CONNECTION ID', 'FROM', 'TO', 'START MS', 'END MS', 'MEDIA'],
        recording.channels.map((channel) => [
          channel.channel_id,
          channel.connection_id,
          channel.from,
          channel.to,
          channel.start_ms,
          channel.end_ms,
          channel.no_media === null ? null : channel.no_media ? 'none' : 'yes',
        ]),
      );
    },
  },
  {
    words: ['recordings', 'get'],
    summary: 'download a file of a recording',
    usage: 'RECORDING_ID [--channel ID] [--format wav|mp3] [--out FILE]',
    details: `  --channel ID        this channel instead of the mix
  --format wav|mp3    wav unless given
  --out FILE          <recording id>.wav in this directory unless given
${serverOptionsHelp}`,
    async run(args) {
      const { values, positionals } = parseCommandLine(
        args,
        {
          ...serverOptions,
          channel: { type: 'string' },
          format: { type: 'string' },
          out: { type: 'string' },
        },
        ['RECORDING_ID'],
      );
      const format = oneOf(values.format, 'format', ['wav', 'mp3']) ?? 'wav';
      const recording = await fetchRecording(ApiClient.open(values), positionals[0]!);
      const files = values.channel === undefined ? recording.mix : channelOf(recording, values.channel);
      const suffix = values.channel === undefined ? '' : `-${values.channel}`;
      const file = values.out ?? `${recording.recording_id}${suffix}.${format}`;
      const bytes = await saveBody(await request(new URL(files[`${format}_file`])), file);
      if (values.json) return printJson({ file, bytes });
      print(`${file}: ${bytes} bytes`);
    },
  },
];

function channelOf({ channels }: WholeRecording, channelId: string): Channel {
  const channel = channels.find(({ channel_id }) => channel_id === channelId);
  if (channel) return channel;
  throw new CallreelError('NOT_FOUND', 'the recording has no such channel', { where: channelId });
}
