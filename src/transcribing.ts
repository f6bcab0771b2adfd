import type { Config } from './config.ts';
import type { Foundation } from './foundation.ts';
import { createSpeechToText, modelsDirectoryOf } from './transcription/create-speech-to-text.ts';
import type { SpeechToText } from './transcription/speech-to-text.ts';
import { UtteranceRecognizer } from './transcription/utterance-recognizer.ts';
import { removeUnfinishedWeights } from './transcription/weights.ts';
import { Transcriber } from './transcripts/transcriber.ts';
import { Transcripts } from './transcripts/transcripts.ts';
import type { RenderPool } from './worker/render-pool.ts';

/** What was said in recordings. */
export interface TranscriptControl {
  transcriber: Transcriber;
  transcripts: Transcripts;
  /** Of what parties say to scripts. */
  recognizer: UtteranceRecognizer;
}

/**
 * Built, and not yet started; the engine is made when the first transcript wants it.
 * @param given in place of the configured engine
 * @param parts takes what must be closed, in the order of opening
 */
export async function openTranscripts(
  config: Config,
  foundation: Foundation,
  renders: RenderPool,
  given: SpeechToText | undefined,
  parts: AsyncDisposableStack,
): Promise<TranscriptControl> {
  const { clock, db, log, node, outbox, directory, delivery, spoolDir, masterKey } = foundation;
  const { seal, settings, ownStore } = delivery;
  await removeUnfinishedWeights(modelsDirectoryOf(config.dataDir));
  let made: Promise<SpeechToText> | undefined = given && Promise.resolve(given);
  const engine = () =>
    (made ??= createSpeechToText(config.transcription, { dataDir: config.dataDir, clock }).catch(
      (error: unknown) => {
        // A directory may be mended meanwhile.
        made = undefined;
        throw error;
      },
    ));
  const transcriber = new Transcriber({
    ...{ db, seal, settings, spoolDir, masterKey, renders, engine, node, outbox, log },
    rows: foundation.transcripts,
    clock: delivery.clock,
    tell: (trx, row, state) => directory.transcriptChanged(trx, row, state),
    retryDays: config.delivery.retryDays,
    concurrency: config.transcription.concurrency,
  });
  parts.defer(async () => {
    await transcriber.stop();
    await made?.then((opened) => opened.close()).catch(() => undefined);
  });
  return {
    transcriber,
    recognizer: new UtteranceRecognizer({ engine, clock }),
    transcripts: new Transcripts({ db, rows: foundation.transcripts, seal, transcriber, ownStore }),
  };
}
