import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import type { CallreelError } from '../errors.ts';
import { LocalSpeechToText } from './local-speech-to-text.ts';
import { isRetriable } from './speech-to-text.ts';

const { signal } = new AbortController();
const silence = () => ({ rateHz: 8000, chunks: [new Int16Array(800)] });

test('a model that could be read before is looked at again before it is given up', async () => {
  // Another process reads the same files, whose content is another by then.
  const files = { detectorFile: 'fine' };
  let looks = 0;
  const engine = new LocalSpeechToText({
    ...{ name: 'embedded', model: 'test', languages: new Set(['en']) },
    prepare: async () => {
      looks++;
      return files;
    },
    engine: {
      ...{ clock: systemClock, memoryLimitMb: 1536, niceness: 0 },
      ...{ startTimeoutMs: 120_000, requestTimeoutMs: 120_000, idleMs: 60_000 },
      script: new URL('./test-engine-process.ts', import.meta.url),
    },
  });
  const transcribe = (isUrgent: boolean) =>
    engine.transcribe(silence(), { locale: 'en-US', signal, isUrgent });
  await transcribe(false);
  await transcribe(false);
  assert.equal(looks, 1);
  files.detectorFile = 'unusable';
  await assert.rejects(transcribe(true), (error: CallreelError) => {
    assert.equal(error.code, 'TRANSCRIPTION_UNAVAILABLE');
    assert.match(error.message, /no such model; its files are looked at again$/);
    return isRetriable(error);
  });
  await assert.rejects(transcribe(true), { code: 'TRANSCRIPTION_MODEL_BROKEN' });
  files.detectorFile = 'fine';
  await transcribe(true);
  assert.equal(looks, 3);
  await engine.close();
});
