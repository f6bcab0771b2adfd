import { readFileSync } from 'node:fs';
import type { DeliveryWish } from './call/delivery-wish.ts';
import type { LiveCalls } from './call/live-calls.ts';
import type { Recording } from './call/recording.ts';
import type { Config } from './config.ts';
import { AlongEncodings } from './delivery/along-encodings.ts';
import { Deliverer } from './delivery/deliverer.ts';
import { Deliveries } from './delivery/deliveries.ts';
import { EarlyUploads } from './delivery/early-uploads.ts';
import { storeDirectoryOf } from './destinations.ts';
import type { Foundation } from './foundation.ts';
import { AlongEncoder } from './worker/along-encoder.ts';
import type { RenderPool } from './worker/render-pool.ts';

/** Finished files on their way to their destinations. */
export interface DeliveryControl {
  deliverer: Deliverer;
  deliveries: Deliveries;
  /** Of one that starts. */
  follow(recording: Recording, delivery: DeliveryWish): void;
}

/** Built, and not yet started. @param parts takes what must be closed, in the order of opening */
export function openDeliveries(
  config: Config,
  foundation: Foundation,
  renders: RenderPool,
  { settle, settleAll, ended }: Pick<LiveCalls, 'settle' | 'settleAll'> & { ended(): void },
  parts: AsyncDisposableStack,
): DeliveryControl {
  const { clock, db, log, node, outbox, directory, delivery, spoolDir, masterKey } = foundation;
  const { retryDays, concurrency } = config.delivery;
  const { lossConcealment } = config.recording;
  const rendering = `${productVersion()} ${lossConcealment}`;
  const encoder = new AlongEncoder({ spoolDir, masterKey, lossConcealment });
  const encoded = new AlongEncodings({ clock, log, encoder, settleAll });
  const upload = { ...delivery, db, log, renders, rendering, encoded };
  const early = new EarlyUploads({ ...upload, clock, settle });
  const deliverer = new Deliverer({
    ...upload,
    ...{ node, outbox, retryDays, concurrency },
    ended,
    stopEarly: (recordingId) => early.stop(recordingId),
    tell: (trx, row, state) => directory.deliveryChanged(trx, row, state),
    storeDirectory: delivery.ownStore && storeDirectoryOf(config.dataDir),
  });
  parts.defer(async () => {
    encoded.close();
    await early.close();
    await deliverer.stop();
    await encoder.close();
  });
  return {
    deliverer,
    deliveries: new Deliveries({ ...delivery, db, deliverer }),
    follow(recording, wish) {
      if (growsForGood(recording)) followGrowth(recording, wish, { early, encoded });
      void recording.whenWritten.then(() => deliverer.kick());
    },
  };
}

/** WAV files are sent while they grow, MP3 files encoded. */
function followGrowth(
  recording: Recording,
  { format, stereo }: DeliveryWish,
  { early, encoded }: { early: EarlyUploads; encoded: AlongEncodings },
): void {
  const { recordingId, conversationId, rateHz, whenEnded, whenWritten } = recording;
  if (format === 'wav') {
    early.follow({ recordingId, conversationId, rateHz, channels: stereo ? 2 : 1 });
    void whenEnded.then(() => early.stop(recordingId));
  }
  if (format === 'mp3') {
    encoded.follow({ recordingId, conversationId, stereo });
    void Promise.all([whenEnded, whenWritten]).then(([reason]) =>
      reason === 'consent_withdrawn' ? encoded.drop(recordingId) : encoded.ended(recordingId),
    );
  }
}

/**
 * Whether what is there of the file stays as it is: of a trimmed one the beginning may go. Where consent may be missing
 * nothing is sent before the end.
 */
function growsForGood({ wishes }: Recording): boolean {
  const { trim, consent } = wishes.options ?? {};
  return !trim && !consent;
}

function productVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
