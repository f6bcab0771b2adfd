import { type AudioFileFormat, audioFileFormats } from '../container/audio-file.ts';
import { ApiClient, serverOptions, serverOptionsHelp } from './api-client.ts';
import { type Command, oneOf, parseCommandLine } from './command.ts';
import { saveBody } from './download.ts';
import { listCommand } from './list-command.ts';
import { print, printFields, printJson, printTable } from './output.ts';

interface Quality {
  snr_db: number | null;
  rt60_seconds: number | null;
  note: string | null;
}

interface Recording {
  recording_id: string;
  conversation_id: string;
  state: string;
  reason: string | null;
  rate_hz: number;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
  quality: Quality | null;
}

interface Channel {
  channel_id: string;
  connection_id: string;
  from: string;
  to: string;
  start_ms: number;
  end_ms: number | null;
  no_media: boolean | null;
  quality: Quality | null;
}

interface WholeRecording extends Recording {
  channels: Channel[];
}

function seconds(durationMs: number | null): string | null {
  return durationMs === null ? null : (durationMs / 1000).toFixed(1);
}

function fetchRecording(api: ApiClient, recordingId: string): Promise<WholeRecording> {
  return api.get(`/v1/recordings/${encodeURIComponent(recordingId)}`);
}

export const recordingCommands: Command[] = [
  listCommand<Recording>({
    words: ['recordings', 'list'],
    summary: 'recordings, the latest first',
    usage: '[--conversation ID]',
    path: '/v1/recordings',
    options: [
      { name: 'conversation', value: 'ID', query: 'conversation_id', help: 'only of this conversation' },
    ],
    columns: {
      'RECORDING ID': (row) => row.recording_id,
      'CONVERSATION ID': (row) => row.conversation_id,
      STARTED: (row) => row.started_at,
      SECONDS: (row) => seconds(row.duration_ms),
      STATE: (row) => row.state,
      REASON: (row) => row.reason,
    },
  }),
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
        'SNR in dB': recording.quality?.snr_db ?? null,
        'RT60 in s': recording.quality?.rt60_seconds ?? null,
        'quality note': recording.quality?.note ?? null,
      });
      print('');
      printTable(
        ['CHANNEL ID', 'CONNECTION ID', 'FROM', 'TO', 'START MS', 'END MS', 'MEDIA', 'SNR DB', 'RT60 S'],
        recording.channels.map((channel) => [
          channel.channel_id,
          channel.connection_id,
          channel.from,
          channel.to,
          channel.start_ms,
          channel.end_ms,
          channel.no_media === null ? null : channel.no_media ? 'none' : 'yes',
          channel.quality?.snr_db ?? null,
          channel.quality?.rt60_seconds ?? null,
        ]),
      );
    },
  },
  {
    words: ['recordings', 'get'],
    summary: 'download a file of a recording',
    usage: 'RECORDING_ID [--channel WHICH] [--format wav|mp3|mp4] [--out FILE]',
    details: `  --channel WHICH        mono, stereo, left, right, all, or the id of a channel; unless given mono or stereo,
                         as the recording was started
  --format wav|mp3|mp4   that of the recording unless given; all is wav only
  --out FILE             <recording id>.<format> in this directory unless given
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
      const format = oneOf(values.format, 'format', audioFileFormats);
      const recordingId = positionals[0]!;
      const answer = await ApiClient.open(values).fetch(downloadPath(recordingId, values.channel, format));
      const suffix = values.channel === undefined ? '' : `-${values.channel}`;
      const file = values.out ?? `${recordingId}${suffix}.${formatOf(answer)}`;
      const bytes = await saveBody(answer, file);
      if (values.json) return printJson({ file, bytes });
      print(`${file}: ${bytes} bytes`);
    },
  },
];

function downloadPath(
  recordingId: string,
  channels: string | undefined,
  format: AudioFileFormat | undefined,
): string {
  const query = new URLSearchParams({
    ...(channels !== undefined && { channels }),
    ...(format && { format }),
  });
  return `/v1/recordings/${encodeURIComponent(recordingId)}/download?${query}`;
}

/** The server knows what the recording was started for. */
function formatOf({ headers }: Response): AudioFileFormat | undefined {
  const named = headers.get('content-disposition') ?? '';
  return audioFileFormats.find((format) => named.endsWith(`.${format}"`));
}
