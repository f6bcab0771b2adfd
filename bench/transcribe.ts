import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { createSpeechToText } from '../src/transcription/create-speech-to-text.ts';
import { type ChannelAudio, type ChannelSpeech, isRetriable } from '../src/transcription/speech-to-text.ts';
import { ensurePackages } from '../test/interop/debian.ts';
import { nothingSaid } from './nothing-said.ts';
import { promptCalls, promptRateHz } from './prompt-calls.ts';
import { formatTable } from './table.ts';
import { normalizedWords, type WordError, wordErrors } from './word-errors.ts';

const usage = `  --prompts N          the first N of the list instead of all
  --only words         or nothing-said: one half of it
  --data-dir DIR       keeps the weights; a temporary folder, which fetches them each time, when not given
  --show               every text that was heard`;
const locale = 'en-US';
/** Linux counts CPU time in these. */
const ticksPerSecond = 100;
const maxAttempts = 10;
const neverAborted = new AbortController().signal;

/**
 * The embedded engine on human prompts, laid out as two-party calls, after G.711: word error rate and CPU time; then
 * what it makes of audio in which nobody speaks.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      prompts: { type: 'string' },
      only: { type: 'string' },
      'data-dir': { type: 'string' },
      show: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return {};
  }
  await ensurePackages('asterisk-core-sounds-en-wav', 'asterisk-moh-opsound-wav');
  const scratch = await mkdtemp(join(tmpdir(), 'callreel-bench-'));
  try {
    const dataDir = values['data-dir'] ? resolve(values['data-dir']) : scratch;
    const words =
      values.only === 'nothing-said'
        ? {}
        : await measureWords(dataDir, Number(values.prompts ?? 1e9), values.show);
    const nothing = values.only === 'words' ? {} : await measureNothing(dataDir);
    return { ...words, ...nothing };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measureWords(dataDir: string, prompts: number, show: boolean): Promise<object> {
  const calls = await promptCalls(prompts);
  const engine = await newEngine(dataDir);
  // Fetched and loaded, so that the network's time is nobody's.
  await engine.transcribe(audioOf(new Int16Array(promptRateHz)));
  const loadCpuSeconds = engine.cpuSeconds();
  const ownBefore = process.cpuUsage();
  const rows: (string | number)[][] = [];
  const totals = { words: 0, errors: 0, seconds: 0, cpuSeconds: 0 };
  const wrong: string[] = [];
  for (const [call, { channels, durationSeconds }] of calls.entries())
    for (const [party, { samples, turns }] of channels.entries()) {
      const { speech, cpuSeconds, attempts } = await transcribed(engine, samples);
      const said = turns.flatMap(({ text }) => normalizedWords(text));
      const errors = wordErrors(said, wordsOf(speech));
      const talkSeconds =
        turns.reduce((sum, turn) => sum + turn.toSample - turn.fromSample, 0) / promptRateHz;
      rows.push([
        `call ${call + 1}, ${party === 0 ? 'caller' : 'called'}`,
        Math.round(durationSeconds),
        `${Math.round((100 * talkSeconds) / durationSeconds)} %`,
        turns.length,
        said.length,
        errors.length,
        cpuSeconds.toFixed(2),
        attempts,
      ]);
      totals.cpuSeconds += cpuSeconds;
      totals.words += said.length;
      totals.errors += errors.length;
      totals.seconds += durationSeconds;
      wrong.push(...errors.map(shownError));
      if (show)
        for (const { fromSample, text } of speech.utterances) console.log(fromSample / promptRateHz, text);
    }
  const own = process.cpuUsage(ownBefore);
  const cpuSeconds = totals.cpuSeconds + (own.user + own.system) / 1e6;
  await engine.close();
  console.log(
    formatTable(['channel', 'seconds', 'talk', 'prompts', 'words', 'errors', 'CPU s', 'attempts'], rows),
  );
  console.log(`\nsaid > heard: ${wrong.join(', ')}`);
  console.log(`\nloading the models: ${loadCpuSeconds.toFixed(1)} CPU s, once for many recordings\n`);
  return {
    wordErrorRate: rounded(totals.errors / totals.words),
    words: totals.words,
    cpuSecondsPerChannelSecond: rounded(cpuSeconds / totals.seconds),
    channelSeconds: Math.round(totals.seconds),
    loadCpuSeconds: rounded(loadCpuSeconds),
  };
}

/** Again where the engine was lost, as a queue would: a machine without memory ends it first. */
async function transcribed(
  engine: BenchEngine,
  samples: Int16Array,
): Promise<{ speech: ChannelSpeech; cpuSeconds: number; attempts: number }> {
  for (let attempts = 1; ; attempts++)
    try {
      // Loaded by then, if it was lost.
      await engine.transcribe(audioOf(new Int16Array(promptRateHz)));
      const before = engine.cpuSeconds();
      const speech = await engine.transcribe(audioOf(samples));
      return { speech, cpuSeconds: engine.cpuSeconds() - before, attempts };
    } catch (error) {
      if (!isRetriable(error) || attempts >= maxAttempts) throw error;
    }
}

async function measureNothing(dataDir: string): Promise<object> {
  const engine = await newEngine(dataDir);
  const rows: (string | number)[][] = [];
  let heardWords = 0;
  for (const { what, chunks } of await nothingSaid()) {
    const speech = await engine.transcribe({ rateHz: promptRateHz, chunks });
    const words = wordsOf(speech);
    heardWords += words.length;
    rows.push([what, Math.round(speech.durationSamples / promptRateHz), words.length, words.join(' ')]);
  }
  await engine.close();
  console.log(formatTable(['nobody speaks', 'seconds', 'words', 'heard'], rows));
  console.log();
  return { wordsHeardInNothing: heardWords };
}

interface BenchEngine {
  transcribe(audio: ChannelAudio): Promise<ChannelSpeech>;
  /** Of its process so far. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

async function newEngine(dataDir: string): Promise<BenchEngine> {
  const settings = { model: '', timeoutMs: 600_000, memoryLimitMb: 1536 };
  const engine = await createSpeechToText(settings, { dataDir, clock: systemClock });
  return {
    transcribe: (audio) => engine.transcribe(audio, { locale, signal: neverAborted }),
    cpuSeconds: () => cpuSecondsOf('pid' in engine ? Number(engine.pid) : 0),
    close: () => engine.close(),
  };
}

function cpuSecondsOf(pid: number): number {
  // Fields 14 and 15 of proc(5), behind the name in parentheses.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function audioOf(samples: Int16Array): ChannelAudio {
  return { rateHz: promptRateHz, chunks: [samples] };
}

function wordsOf({ utterances }: ChannelSpeech): string[] {
  return utterances.flatMap(({ text }) => normalizedWords(text));
}

function shownError({ said = '-', heard = '-' }: WordError): string {
  return `${said} > ${heard}`;
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
