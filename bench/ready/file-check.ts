import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { wavHeaderBytes } from '../../src/container/wav.ts';
import { recordingView } from '../../src/render/recording-view.ts';
import { openRendition, type RenditionRequest } from '../../src/render/rendition.ts';
import type { RecordingView } from '../../src/render/track-source.ts';
import { loadMasterKey, type MasterKey } from '../../src/spool/keys.ts';
import { conversationDirectoryOf, manifestSuffix, spoolDirectoryOf } from '../../src/spool/layout.ts';
import { openSpool } from '../../src/spool/reader.ts';
import { assertMp3 } from './encoded-check.ts';
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
    await assertMp3(checked.mp3Bytes, [mix.samples]);
  }

  /**
   * The mix alone.
   * @throws AssertionError
   */
  async mix(conversationId: string, { sha256 }: Fetched): Promise<void> {
    const mix = await rendered(this.#view(conversationId), { kind: 'conversation', format: 'wav' });
    assert.equal(sha256, mix.sha256, `${conversationId}: the mix is another file`);
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
