import { systemClock } from '../clock.ts';
import type { TestTranscriptionServer } from '../transcription/test-transcription-server.ts';
import { UrlSpeechToText } from '../transcription/url-speech-to-text.ts';

/** For tests only: a server's recogniser, with speech found by its loudness in a process without models. */
export function testSpeechToText(
  server: Pick<TestTranscriptionServer, 'url'>,
  detectorFile = 'loudness',
): UrlSpeechToText {
  return new UrlSpeechToText({
    url: server.url,
    model: 'whisper-1',
    timeoutMs: 60_000,
    clock: systemClock,
    languages: new Set(['en']),
    prepare: async () => ({ detectorFile }),
    engine: {
      ...{ clock: systemClock, memoryLimitMb: 1536, niceness: 0 },
      ...{ startTimeoutMs: 120_000, requestTimeoutMs: 120_000, idleMs: 60_000 },
      script: new URL('../transcription/test-engine-process.ts', import.meta.url),
    },
  });
}
