import { ToneGenerator } from '../../audio/tone.ts';
import type { Clock } from '../../clock.ts';
import { type AudioFileFormat, openAudioFile } from '../../container/audio-file.ts';
import { CallreelError } from '../../errors.ts';
import type { Destination, StoredObject } from './destination.ts';
import type { DestinationPlace } from './destination-url.ts';
import { generatedFileName, keyAt, nameWarning } from './object-name.ts';

export interface TrialOptions {
  clock: Clock;
  destination: Destination;
  place: DestinationPlace;
  format: AudioFileFormat;
  stereo: boolean;
  /** Stand in generated names, as in those of recordings. */
  applicationKey: string;
  nameId: string;
  /** A URL that names a file: under that very name, and not beside it. */
  overwrite: boolean;
}

export interface TrialReport {
  /** What was written, in the two ways in which recordings are: short ones as a whole, long ones in parts. */
  objects: { url: string; way: 'whole' | 'parts' }[];
  bytes: number;
  contentType: string;
  /** Of the name in the URL. */
  warning: string | undefined;
}

const trialLimitMs = 30_000;
const abortLimitMs = 5000;
const rateHz = 8000;
const contentTypes = { wav: 'audio/wav', mp3: 'audio/mpeg', mp4: 'audio/mp4' } as const;

/**
 * Writes a second of a tone as recordings are written: by the same requests, under a name of the same pattern. Nothing
 * is overwritten unless that is asked for, and nothing is removed: the right to write is all that is used.
 * @throws CallreelError as `Destination`; DESTINATION_UNAVAILABLE where it takes more than half a minute
 */
export async function tryDestination(options: TrialOptions): Promise<TrialReport> {
  const { destination, place, format } = options;
  const content = toneFile(options);
  const contentType = contentTypes[format];
  const report: TrialReport = {
    objects: [],
    bytes: content.length,
    contentType,
    warning: nameWarning(place, format),
  };
  await within(options, async (signal) => {
    const whole = { key: keyOf(options, 1), contentType };
    await destination.put(whole, content, signal);
    report.objects.push({ url: destination.urlOf(whole.key), way: 'whole' });
    const parts = { key: keyOf(options, 2), contentType };
    await putInParts(options, parts, content, signal);
    report.objects.push({ url: destination.urlOf(parts.key), way: 'parts' });
  });
  return report;
}

/** Of a URL that names a file the generated name stands in the folder of that file, where nothing else has it. */
function keyOf({ place, overwrite, clock, ...named }: TrialOptions, ordinal: number): string {
  const folder = overwrite ? place.path : place.path.slice(0, place.path.lastIndexOf('/') + 1);
  const { applicationKey, nameId: id, format } = named;
  const startedAtMs = clock.unixMs();
  const name = generatedFileName({ startedAtMs, applicationKey, id, format, ordinal });
  return keyAt({ ...place, path: folder }, name);
}

async function putInParts(
  { clock, destination }: TrialOptions,
  object: StoredObject,
  content: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const upload = { ...object, uploadId: await destination.beginUpload(object, signal) };
  try {
    const receipt = await destination.putPart(upload, 1, content, signal);
    await destination.completeUpload(upload, [receipt], signal);
  } catch (error) {
    const patience = new AbortController();
    const timer = clock.after(abortLimitMs, () => patience.abort());
    // What went wrong before is the news.
    await destination.abortUpload(upload, patience.signal).catch(() => undefined);
    timer.cancel();
    throw error;
  }
}

async function within(
  { clock, destination, place }: TrialOptions,
  steps: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const limit = new AbortController();
  const timer = clock.after(trialLimitMs, () => {
    const where = destination.urlOf(place.path);
    const message = `${where}: no answer within ${trialLimitMs / 1000} s`;
    limit.abort(new CallreelError('DESTINATION_UNAVAILABLE', message, { where }));
  });
  try {
    await steps(limit.signal);
  } finally {
    timer.cancel();
  }
}

function toneFile({ format, stereo }: TrialOptions): Uint8Array {
  const channels = stereo ? 2 : 1;
  const mono = new Int16Array(rateHz);
  new ToneGenerator({ rateHz, frequencyHz: 440, levelDbov: -20 }).write(mono);
  const samples = new Int16Array(mono.length * channels);
  for (let at = 0; at < samples.length; at++) samples[at] = mono[Math.floor(at / channels)]!;
  const file = openAudioFile({ format, rateHz, channels });
  const parts = [...file.write(samples), ...file.finish()];
  const content = new Uint8Array(file.byteLength);
  for (const { at, bytes } of parts) content.set(bytes, at);
  return content;
}
