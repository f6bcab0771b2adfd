import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CallreelError } from '../errors.ts';
import { moonshineTokens } from './embedded-model.ts';
import { whisperLanguages } from './whisper-languages.ts';

/** A model that sherpa-onnx loads, as its files tell. */
export interface FoundModel {
  /** Folder and kind, for transcripts and messages. */
  name: string;
  /** ISO 639-1; undefined where neither files nor folder tell. */
  languages: ReadonlySet<string> | undefined;
  /** `modelConfig` of sherpa-onnx for one of its languages. */
  configFor(language: string): object;
}

interface ModelKind {
  kind: string;
  /** The files that make it, by their role; every one must be there. */
  files: Record<string, RegExp>;
  /** Where the files alone do not tell: what the folder's name must hold. */
  folder?: RegExp;
  /** Brings no tokens.txt along. */
  tokens?: string;
  languages?: ReadonlySet<string>;
  config(path: Record<string, string>, language: string): object;
}

const encoder = /(?:^|[-_.])encode(?:r)?(?:[-_.]model)?[^/]*\.(?:onnx|ort)$/i;
const decoder = /(?:^|[-_.])decoder(?:[-_.]model)?[^/]*\.(?:onnx|ort)$/i;
const joiner = /(?:^|[-_.])joiner[^/]*\.onnx$/i;
const model = /^(?:.*[-_.])?model[^/]*\.onnx$/i;
const asian = new Set(['zh', 'en', 'ja', 'ko', 'yue']);

/** The first that fits is taken. */
const kinds: readonly ModelKind[] = [
  {
    kind: 'moonshine',
    files: { encoder, mergedDecoder: /^decoder_model_merged.*\.(?:onnx|ort)$/i },
    tokens: moonshineTokens,
    config: (moonshine) => ({ moonshine }),
  },
  {
    kind: 'moonshine',
    files: {
      preprocessor: /^preprocess.*\.onnx$/i,
      encoder: /^encode\..*onnx$/i,
      uncachedDecoder: /^uncached_decode.*\.onnx$/i,
      cachedDecoder: /^cached_decode.*\.onnx$/i,
    },
    config: (moonshine) => ({ moonshine }),
  },
  {
    kind: 'nemo-transducer',
    files: { encoder, decoder, joiner },
    folder: /nemo|parakeet|giga-?am/i,
    config: (transducer) => ({ transducer, modelType: 'nemo_transducer' }),
  },
  { kind: 'transducer', files: { encoder, decoder, joiner }, config: (transducer) => ({ transducer }) },
  {
    kind: 'canary',
    files: { encoder, decoder },
    folder: /canary/i,
    languages: new Set(['en', 'es', 'de', 'fr']),
    config: (path, language) => ({ canary: { ...path, srcLang: language, tgtLang: language, usePnc: 1 } }),
  },
  {
    kind: 'fire-red-asr',
    files: { encoder, decoder },
    folder: /fire-?red/i,
    languages: new Set(['zh', 'en']),
    config: (fireRedAsr) => ({ fireRedAsr }),
  },
  {
    kind: 'whisper',
    files: { encoder, decoder },
    languages: whisperLanguages,
    config: (path, language) => ({ whisper: { ...path, language, task: 'transcribe', tailPaddings: -1 } }),
  },
  {
    kind: 'sense-voice',
    files: { model },
    folder: /sense-?voice/i,
    languages: asian,
    config: (path, language) => ({ senseVoice: { ...path, language, useInverseTextNormalization: 1 } }),
  },
  { kind: 'paraformer', files: { model }, folder: /paraformer/i, config: (paraformer) => ({ paraformer }) },
  {
    kind: 'telespeech',
    files: { model },
    folder: /tele-?speech/i,
    config: ({ model }) => ({ teleSpeechCtc: model }),
  },
  {
    kind: 'zipformer-ctc',
    files: { model },
    folder: /zipformer/i,
    config: (zipformerCtc) => ({ zipformerCtc }),
  },
  { kind: 'wenet-ctc', files: { model }, folder: /wenet/i, config: (wenetCtc) => ({ wenetCtc }) },
  { kind: 'dolphin', files: { model }, folder: /dolphin/i, config: (dolphin) => ({ dolphin }) },
  {
    kind: 'nemo-ctc',
    files: { model },
    folder: /nemo|ctc|parakeet|giga-?am/i,
    config: (nemoCtc) => ({ nemoCtc }),
  },
];

/**
 * @param languages what the operator says of it, ISO 639-1
 * @throws CallreelError TRANSCRIPTION_MODEL_BROKEN when it is none that is known
 */
export async function findModel(folder: string, languages?: readonly string[]): Promise<FoundModel> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw broken(`cannot be read: ${(cause as Error).message}`, folder, cause);
  });
  const found = recogniseModel(names, basename(folder));
  if (!found)
    throw broken('holds no model that is known by its file names (docs/transcripts.md lists them)', folder);
  const { kind, files, tokens } = found;
  if (!tokens) throw broken(`holds a model of kind ${kind.kind}, but no tokens.txt`, folder);
  const inFolder = (name: string) => join(folder, name);
  const paths = Object.fromEntries(Object.entries(files).map(([role, name]) => [role, inFolder(name)]));
  const tokensFile = tokens === kind.tokens ? tokens : inFolder(tokens);
  const isEnglishOnly = /(?:^|[-_.])en(?:glish)?(?:[-_.]|$)/i.test(
    [basename(folder), ...Object.values(files)].join(' ').replaceAll(' ', '_'),
  );
  const told = isEnglishOnly && kind.kind !== 'sense-voice' ? new Set(['en']) : kind.languages;
  return {
    name: `${basename(folder)} (${kind.kind})`,
    languages: languages ? new Set(languages) : told,
    configFor: (language) => ({
      ...kind.config(paths, isEnglishOnly && kind.kind === 'whisper' ? 'en' : language),
      tokens: tokensFile,
    }),
  };
}

/** Of several files with one role the quantised one is taken: it costs half as much. */
function recogniseModel(
  names: readonly string[],
  folder: string,
): { kind: ModelKind; files: Record<string, string>; tokens: string | undefined } | undefined {
  const sorted = [...names].sort(
    (a, b) => Number(/int8/.test(b)) - Number(/int8/.test(a)) || (a < b ? -1 : 1),
  );
  for (const kind of kinds) {
    if (kind.folder && !kind.folder.test(folder)) continue;
    const roles = Object.entries(kind.files).map(
      ([role, pattern]) => [role, sorted.find((name) => pattern.test(name))] as const,
    );
    if (roles.some(([, name]) => name === undefined)) continue;
    const files = Object.fromEntries(roles.map(([role, name]) => [role, name ?? '']));
    const tokens = sorted.find((name) => /(?:^|[-_.])tokens\.txt$/i.test(name)) ?? kind.tokens;
    return { kind, files, tokens };
  }
  return undefined;
}

function broken(what: string, where: string, cause?: unknown): CallreelError {
  return new CallreelError('TRANSCRIPTION_MODEL_BROKEN', `the model directory ${where} ${what}`, {
    where,
    cause,
  });
}
