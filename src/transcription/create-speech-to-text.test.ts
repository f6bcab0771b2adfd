import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { createSpeechToText, type TranscriptionSettings } from './create-speech-to-text.ts';
import { isRetriable } from './speech-to-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-stt-'));
after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();
const silence = { rateHz: 8000, chunks: [new Int16Array(8000)] };

function create(settings: Partial<TranscriptionSettings>) {
  return createSpeechToText(
    { model: 'whisper-1', timeoutMs: 60_000, memoryLimitMb: 1536, ...settings },
    {
      dataDir: folder,
      clock: systemClock,
      fetch: async (spec) => {
        throw new CallreelError('TRANSCRIPTION_UNAVAILABLE', `no registry for ${spec}`);
      },
    },
  );
}

describe('Speech-to-text', () => {
  test('is embedded, and English, unless told otherwise', async () => {
    const engine = await create({});
    assert.deepEqual([engine.name, engine.model], ['embedded', 'moonshine-base-en']);
    assert.equal(engine.unservedReason('en-WL'), undefined);
    await assert.rejects(engine.transcribe(silence, { locale: 'es-ES', signal }), {
      code: 'TRANSCRIPTION_LOCALE_UNSUPPORTED',
      message: 'Spanish (es-ES) is not served: the embedded engine (moonshine-base-en) knows English',
    });
    await engine.close();
  });

  test('whose weights cannot be had fails with that reason, for now', async () => {
    const engine = await create({});
    await assert.rejects(engine.transcribe(silence, { locale: 'en-US', signal }), (error) => {
      assert.match(String(error), /no registry for @ricky0123\/vad-web@0.0.31/);
      assert.ok(isRetriable(error));
      return true;
    });
    await engine.close();
  });

  test('is a server where one is named, in the languages of its model', async () => {
    const engine = await create({ url: 'http://127.0.0.1:1', model: 'Systran/faster-whisper-small' });
    assert.equal(engine.name, 'url');
    assert.equal(engine.unservedReason('es-ES'), undefined);
    assert.match(engine.unservedReason('gd_GB') ?? '', /Scottish Gaelic \(gd_GB\) is not served/);
    for (const model of ['Systran/faster-distil-whisper-small.en', 'UsefulSensors/moonshine-base'])
      assert.match(
        (await create({ url: 'http://127.0.0.1:1', model })).unservedReason('es-ES') ?? '',
        /knows English/,
      );
    const told = await create({ url: 'http://127.0.0.1:1', languages: ['ga'] });
    assert.equal(told.unservedReason('ga-IE'), undefined);
    assert.notEqual(told.unservedReason('en-US'), undefined);
    await engine.close();
  });

  test('is a model directory where one is named, which must tell its languages', async () => {
    const modelDir = join(folder, 'zipformer');
    mkdirSync(modelDir);
    await assert.rejects(create({ modelDir }), { code: 'TRANSCRIPTION_MODEL_BROKEN' });
    for (const name of ['encoder-1.onnx', 'decoder-1.onnx', 'joiner-1.onnx', 'tokens.txt'])
      writeFileSync(join(modelDir, name), '');
    await assert.rejects(create({ modelDir }), { code: 'CONFIG_INVALID', where: 'transcription.languages' });
    const engine = await create({ modelDir, languages: ['pl'] });
    assert.deepEqual([engine.name, engine.model], ['model-directory', 'zipformer (transducer)']);
    assert.equal(engine.unservedReason('pl-PL'), undefined);
    await engine.close();
  });

  test('is not two of them', async () => {
    await assert.rejects(create({ url: 'http://127.0.0.1:1', modelDir: folder }), { code: 'CONFIG_INVALID' });
  });
});
