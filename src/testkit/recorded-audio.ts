import { AssertionError } from 'node:assert';
import type { AudioFile } from './audio-file.ts';
import { decodeWav } from './audio-file.ts';

export interface RecordedAudio extends AudioFile {
  url: string;
  /** The file as it was sent. */
  bytes: Uint8Array;
}

export interface FetchAudioOptions {
  headers?: Record<string, string>;
}

/**
 * Downloads a WAV file and takes it apart.
 * @throws AssertionError when the answer is not 200 or has another length than it announced
 * @throws CallreelError AUDIO_INVALID
 */
export async function fetchAudio(
  url: string,
  { headers = {} }: FetchAudioOptions = {},
): Promise<RecordedAudio> {
  const response = await fetch(url, { headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status !== 200) {
    const answer = Buffer.from(bytes.subarray(0, 300)).toString();
    throw new AssertionError({ message: `GET ${url} answered ${response.status}: ${answer}` });
  }
  const announced = response.headers.get('content-length');
  if (announced !== null && Number(announced) !== bytes.length)
    throw new AssertionError({ message: `GET ${url} announced ${announced} bytes and sent ${bytes.length}` });
  return { ...decodeWav(bytes), url, bytes };
}

/** The samples of a recording that must be mono. @throws AssertionError */
export function monoSamples({ channels, url }: RecordedAudio): Int16Array {
  const [samples] = channels;
  if (channels.length === 1 && samples) return samples;
  throw new AssertionError({ message: `${url} has ${channels.length} channels, not one` });
}
