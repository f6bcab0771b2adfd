import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { MPEGDecoder } from 'mpg123-decoder';
import { wavHeaderBytes } from '../../src/container/wav.ts';
import { recordingView } from '../../src/render/recording-view.ts';
import { openRendition, type RenditionRequest } from '../../src/render/rendition.ts';
import type { RecordingView } from '../../src/render/track-source.ts';
import { loadMasterKey, type MasterKey } from '../../src/spool/keys.ts';
import { conversationDirectoryOf, manifestSuffix, spoolDirectoryOf } from '../../src/spool/layout.ts';
import { openSpool } from '../../src/spool/reader.ts';
import type { Fetched } from './fetch-whole.ts';
import { assertSaid } from './said-frames.ts';

export interface CheckedConversation {
  conversationId: string;
  connectionId: string;
  minutes: number;
  mix: Fetched;
  /** Of that party. */
  channel: Fetched;
  mp3: Fetched;
  mp3Bytes: Uint8Array;
  /** What that party sent in real time, packet by packet; G.711 µ-law. */
  said: readonly Uint8Array[];
}

/** A second of an MP3 file differs from the mix by so much less than it is loud. */
const leastMp3SnrDb = 6;
const blockSamples = 8000;
const softRms = 100;

/**
 * Holds files that were fetched to what lies in the spool of a server, and that to what was said. WAV files are those
 * that are made of the spool here, byte for byte; MP3 is decoded by another's decoder.
 */
export class FileCheck {
  readonly #spoolDir: string;
  readonly #masterKey: MasterKey;

  constructor(dataDir: string) {
    this.#spoolDir = spoolDirectoryOf(dataDir);
    this.#masterKey = loadMasterKey(dataDir);
  }

  /** @throws AssertionError */
  async conversation(checked: CheckedConversation): Promise<void> {
    const { conversationId, connectionId, minutes } = checked;
    const view = this.#view(conversationId);
    const track = view.tracks.find((each) => each.connectionId === connectionId);
    assert.ok(track, conversationId);
    const channel = await rendered(view, { kind: 'channel', trackId: track.trackId, format: 'wav' });
    assert.equal(checked.channel.sha256, channel.sha256, `${conversationId}: the channel is another file`);
    assertSaid(channel.samples, checked.said, minutes);
    const mix = await rendered(view, { kind: 'conversation', format: 'wav' });
    assert.equal(checked.mix.sha256, mix.sha256, `${conversationId}: the mix is another file`);
    await assertEncodes(checked.mp3Bytes, mix.samples);
  }

  #view(conversationId: string): RecordingView {
    const directory = conversationDirectoryOf(this.#spoolDir, conversationId);
    const [manifest, ...more] = readdirSync(directory).filter((name) => name.endsWith(manifestSuffix));
    assert.ok(manifest && more.length === 0, conversationId);
    return recordingView(openSpool(directory, manifest.slice(0, -manifestSuffix.length), this.#masterKey));
  }
}

async function rendered(view: RecordingView, request: RenditionRequest) {
  const rendition = openRendition(view, request);
  assert.ok(rendition.complete);
  const file = new Uint8Array(rendition.byteLength);
  let at = 0;
  for await (const chunk of rendition.read()) {
    file.set(chunk, at);
    at += chunk.length;
  }
  const sha256 = createHash('sha256').update(file).digest('hex');
  return { sha256, samples: new Int16Array(file.buffer, wavHeaderBytes) };
}

/** The file has as many samples as the mix, and where the mix is loud it is not far from it. */
async function assertEncodes(mp3: Uint8Array, mix: Int16Array): Promise<void> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(mp3);
  decoder.free();
  assert.deepEqual([sampleRate, errors], [8000, []]);
  const [decoded] = channelData;
  assert.equal(decoded!.length, mix.length);
  let loud = 0;
  let near = 0;
  for (let from = 0; from + blockSamples <= mix.length; from += blockSamples) {
    let signal = 0;
    let error = 0;
    for (let i = from; i < from + blockSamples; i++) {
      signal += mix[i]! ** 2;
      error += (mix[i]! - decoded![i]! * 32_768) ** 2;
    }
    if (signal < blockSamples * softRms ** 2) continue;
    loud += 1;
    if (signal > error * 10 ** (leastMp3SnrDb / 10)) near += 1;
  }
  assert.ok(loud > 0 && near === loud, `${loud - near} of ${loud} seconds of the MP3 are not the mix`);
}
