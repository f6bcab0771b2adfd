import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { moonshineTokens } from './embedded-model.ts';
import { findModel } from './model-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-model-'));
after(() => rmSync(folder, { recursive: true }));

function directory(name: string, ...files: string[]): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const file of files) writeFileSync(join(path, file), '');
  return path;
}

describe('A model directory', () => {
  test('with Whisper is asked in the language of the call', async () => {
    const path = directory(
      'sherpa-onnx-whisper-small',
      'small-encoder.int8.onnx',
      'small-encoder.onnx',
      'small-decoder.int8.onnx',
      'small-tokens.txt',
    );
    const found = await findModel(path);
    assert.equal(found.name, 'sherpa-onnx-whisper-small (whisper)');
    assert.ok(found.languages?.has('es') && found.languages.has('en') && !found.languages.has('gd'));
    assert.deepEqual(found.configFor('es'), {
      whisper: {
        encoder: join(path, 'small-encoder.int8.onnx'),
        decoder: join(path, 'small-decoder.int8.onnx'),
        language: 'es',
        task: 'transcribe',
        tailPaddings: -1,
      },
      tokens: join(path, 'small-tokens.txt'),
    });
  });

  test('with Whisper for English alone serves nothing else', async () => {
    const path = directory(
      'whisper-base',
      'base.en-encoder.onnx',
      'base.en-decoder.onnx',
      'base.en-tokens.txt',
    );
    assert.deepEqual([...((await findModel(path)).languages ?? [])], ['en']);
  });

  test('with Moonshine needs no tokens of its own', async () => {
    const path = directory('moonshine-tiny-en', 'encoder_model.onnx', 'decoder_model_merged.onnx');
    const found = await findModel(path);
    assert.deepEqual(found.configFor('en'), {
      moonshine: {
        encoder: join(path, 'encoder_model.onnx'),
        mergedDecoder: join(path, 'decoder_model_merged.onnx'),
      },
      tokens: moonshineTokens,
    });
    assert.deepEqual([...(found.languages ?? [])], ['en']);
  });

  for (const [name, files, key] of [
    [
      'sherpa-onnx-zipformer-en-2023',
      ['encoder-epoch-99.onnx', 'decoder-epoch-99.onnx', 'joiner-epoch-99.onnx'],
      'transducer',
    ],
    [
      'sherpa-onnx-nemo-parakeet-tdt-0.6b',
      ['encoder.int8.onnx', 'decoder.int8.onnx', 'joiner.int8.onnx'],
      'modelType',
    ],
    [
      'sherpa-onnx-moonshine-base-en-int8',
      ['preprocess.onnx', 'encode.int8.onnx', 'uncached_decode.int8.onnx', 'cached_decode.int8.onnx'],
      'moonshine',
    ],
    ['sherpa-onnx-sense-voice-zh-en-ja-ko-yue', ['model.int8.onnx'], 'senseVoice'],
    ['sherpa-onnx-paraformer-zh', ['model.onnx'], 'paraformer'],
    ['sherpa-onnx-nemo-ctc-en-conformer-small', ['model.onnx'], 'nemoCtc'],
    ['sherpa-onnx-zipformer-ctc-zh', ['model.onnx'], 'zipformerCtc'],
    ['sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr', ['encoder.int8.onnx', 'decoder.int8.onnx'], 'canary'],
  ] as const)
    test(`as published under the name ${name} is known`, async () => {
      const found = await findModel(directory(name, ...files, 'tokens.txt', 'README.md'));
      assert.ok(key in found.configFor('en'), JSON.stringify(found.configFor('en')));
    });

  test('that does not tell its languages is told them', async () => {
    const files = ['encoder-1.onnx', 'decoder-1.onnx', 'joiner-1.onnx', 'tokens.txt'];
    const path = directory('zipformer', ...files);
    assert.equal((await findModel(path)).languages, undefined);
    assert.deepEqual([...((await findModel(path, ['pl'])).languages ?? [])], ['pl']);
  });

  test('that holds no model, or only half of one, says so', async () => {
    for (const path of [
      directory('empty'),
      directory('half', 'small-encoder.onnx', 'small-tokens.txt'),
      directory('without-tokens', 'small-encoder.onnx', 'small-decoder.onnx'),
      join(folder, 'not there'),
    ])
      await assert.rejects(findModel(path), { code: 'TRANSCRIPTION_MODEL_BROKEN', where: path });
  });
});
