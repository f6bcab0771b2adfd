import { percentile } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { Fetched } from './fetch-whole.ts';
import type { ProcessTime } from './process-time.ts';

interface AudioBody {
  wav_file: string;
  mp3_file: string;
  duration_ms: number;
  quality_note?: string;
}

export interface ConversationBody {
  status: string;
  audio: AudioBody;
  channels: { connection_id: string; audio: AudioBody }[];
}

export interface Ended {
  /** From its last BYE to the event. */
  endedMs: number;
  /** What the API says of it as soon as the last event is there. */
  body: ConversationBody;
}

/** Conversations that ended together. */
export interface Round<Each extends Ended = Ended> {
  ended: Each[];
  /** What the server needed for it from the first BYE to the last event. */
  time: ProcessTime;
  /** Why its figures tell nothing; undefined where they do. */
  voidReason: string | undefined;
}

/** The mix of a conversation, asked for as soon as its `ended` event is there. */
export interface WavAtOnce {
  /** From its last BYE to the first byte of the file, and to the last one. */
  firstByteMs: number;
  wholeMs: number;
}

/** Conversations that ended together, each of whose files is fetched at once. */
export interface WavRound {
  wavs: WavAtOnce[];
  voidReason: string | undefined;
}

export interface CaseResult {
  minutes: number;
  /** Of a server that was just started. */
  first: Round;
  /** The same server's next ones. */
  following: Round[];
  /** The last one of that server. */
  atOnce: WavRound;
  /** Files of the first round. */
  fetched: { mix: Fetched; channel: Fetched; mp3: Fetched }[];
}

const notMeasured = 'not_measured';

export function withFigures(ended: readonly Ended[]): number {
  return ended.filter(({ body: { audio, channels } }) =>
    [audio, ...channels.map((channel) => channel.audio)].every(
      ({ quality_note }) => quality_note !== notMeasured,
    ),
  ).length;
}

export function endedMs(ended: readonly Ended[]): number[] {
  return ended.map((each) => each.endedMs);
}

/** Prints a table. @returns the same for the JSON; keys without `following` are of the first rounds */
export function report(conversations: number, results: readonly CaseResult[]): object {
  const lengths = [...new Set(results.map(({ minutes }) => minutes))];
  const cases = lengths.map((minutes) => caseReport(results.filter((result) => result.minutes === minutes)));
  process.stdout.write(
    `${conversations} conversations of two that end together; milliseconds. First: of a server that was just started;\n` +
      'following: of the same server, once it has had such ends\n',
  );
  process.stdout.write(
    `${formatTable(
      [
        'minutes',
        'first ended p50',
        'p99',
        'with figures',
        'following p50',
        'p99',
        'with figures',
        'WAV begins p99',
        'MP3 begins p99',
        'WAV whole p99',
        'MP3 whole p99',
        'BYE to WAV p50',
        'p99',
      ],
      cases.map((row) => [
        ...[row.minutes, row.p50Ms, row.p99Ms, row.endedWithFigures],
        ...[row.followingP50Ms, row.followingP99Ms, row.followingEndedWithFigures].map(orNone),
        ...[row.wavFirstByteP99Ms, row.mp3FirstByteP99Ms, row.wavWholeP99Ms, row.mp3WholeP99Ms],
        ...[row.byeToWavFirstByteP50Ms, row.byeToWavFirstByteP99Ms],
      ]),
    )}\n`,
  );
  const first = results.map((result) => result.first);
  const following = results.flatMap((result) => result.following);
  return {
    ...{ conversations, minutes: lengths, ...endReport(first), ...followingReport(following) },
    ...wavReport(results.map(({ atOnce }) => atOnce)),
    voidReason: voidReasonOf(results) ?? null,
    cases,
  };
}

function caseReport(results: readonly CaseResult[]) {
  const first = results.map((result) => result.first);
  const following = results.flatMap((result) => result.following);
  const fetched = results.flatMap((result) => result.fetched);
  const wavs = fetched.flatMap(({ mix, channel }) => [mix, channel]);
  const mp3s = fetched.map(({ mp3 }) => mp3);
  const p99 = (values: number[]) => rounded(percentile(values, 99));
  return {
    minutes: results[0]!.minutes,
    ...endReport(first),
    ...timeReport(first),
    ...followingReport(following),
    ...(following.length > 0 && {
      followingCpuMs: timeReport(following).cpuMs,
      followingWaitedMs: timeReport(following).waitedMs,
      followingEndedWithFigures: timeReport(following).endedWithFigures,
    }),
    wavFirstByteP99Ms: p99(wavs.map(({ firstByteMs }) => firstByteMs)),
    mp3FirstByteP99Ms: p99(mp3s.map(({ firstByteMs }) => firstByteMs)),
    wavWholeP99Ms: p99(wavs.map(({ wholeMs }) => wholeMs)),
    mp3WholeP99Ms: p99(mp3s.map(({ wholeMs }) => wholeMs)),
    ...wavReport(results.map(({ atOnce }) => atOnce)),
    bytes: [...wavs, ...mp3s].reduce((sum, { byteLength }) => sum + byteLength, 0),
  };
}

function endReport(rounds: readonly Round[]) {
  const all = rounds.flatMap(({ ended }) => endedMs(ended));
  return { p50Ms: rounded(percentile(all, 50)), p99Ms: rounded(percentile(all, 99)) };
}

function wavReport(rounds: readonly WavRound[]) {
  const wavs = rounds.flatMap((round) => round.wavs);
  const firstBytes = wavs.map(({ firstByteMs }) => firstByteMs);
  return {
    byeToWavFirstByteP50Ms: rounded(percentile(firstBytes, 50)),
    byeToWavFirstByteP99Ms: rounded(percentile(firstBytes, 99)),
    byeToWavWholeP99Ms: rounded(
      percentile(
        wavs.map(({ wholeMs }) => wholeMs),
        99,
      ),
    ),
  };
}

function voidReasonOf(results: readonly CaseResult[]): string | undefined {
  return results
    .flatMap(({ first, following, atOnce }) => [first, ...following, atOnce])
    .map((round) => round.voidReason)
    .find((reason) => reason !== undefined);
}

/** Nothing where there was none. */
function followingReport(rounds: readonly Round[]) {
  if (rounds.length === 0) return {};
  const { p50Ms, p99Ms } = endReport(rounds);
  return { followingRounds: rounds.length, followingP50Ms: p50Ms, followingP99Ms: p99Ms };
}

/** Of a round, in the middle of all. */
function timeReport(rounds: readonly Round[]) {
  const median = (values: number[]) => rounded(percentile(values, 50));
  return {
    cpuMs: median(rounds.map(({ time }) => time.cpuMs)),
    waitedMs: median(rounds.map(({ time }) => time.waitedMs)),
    endedWithFigures: rounds.reduce((sum, { ended }) => sum + withFigures(ended), 0) / rounds.length,
  };
}

function orNone(value: number | undefined): number | string {
  return value ?? '';
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}
