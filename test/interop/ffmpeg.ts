import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const options = { timeout: 60_000, maxBuffer: 256 * 1024 * 1024 } as const;

export interface Probe {
  codec: string;
  rateHz: number;
  channels: number;
  /** From the first sample that is played to the end of the last. */
  seconds: number;
  /** Of the first sample that is played. */
  startSeconds: number;
}

/** What FFmpeg says of the only stream of an audio file. */
export async function probe(path: string): Promise<Probe> {
  const entries = 'stream=codec_name,sample_rate,channels,start_time,duration:format=duration';
  const { stdout } = await run(
    'ffprobe',
    ['-v', 'error', '-show_entries', entries, '-of', 'json', path],
    options,
  );
  const { streams, format } = JSON.parse(stdout);
  const [{ codec_name: codec, sample_rate: rate, channels, duration, start_time: start }] = streams;
  const seconds = Number(duration ?? format.duration);
  return { codec, rateHz: Number(rate), channels, seconds, startSeconds: Number(start ?? 0) };
}

/** The samples of each channel as FFmpeg decodes them, and what it complained about. */
export async function decode(
  path: string,
  channels: number,
): Promise<{ pcm: Int16Array[]; complaints: string }> {
  const arguments_ = ['-v', 'error', '-i', path, '-f', 's16le', '-'];
  const { stdout, stderr } = await run('ffmpeg', arguments_, { ...options, encoding: 'buffer' });
  const interleaved = new Int16Array(new Uint8Array(stdout).buffer, 0, stdout.length >> 1);
  const pcm = Array.from({ length: channels }, (_, channel) =>
    Int16Array.from(
      { length: interleaved.length / channels },
      (_, k) => interleaved[k * channels + channel]!,
    ),
  );
  return { pcm, complaints: stderr.toString() };
}
