import type { Clock, Timer } from '../clock.ts';
import { listUnmeasuredRecordings } from '../database/recordings.ts';
import type { Db } from '../database/schema.ts';
import { CallreelError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ChannelFigures } from '../quality/channel-figures.ts';
import { excerptSeconds, placeBehind } from '../quality/excerpts.ts';
import { figuresOfNothing, type QualityFigures } from '../quality/quality-meter.ts';
import type { RecordingSummary } from '../recording/summary.ts';
import type { MeasuredRecording, QualityOrder, SettledFigures } from '../worker/quality-protocol.ts';
import type { Recording } from './recording.ts';

/** Measures on a thread of its own (`worker/quality-gauge`). */
export interface QualityThread {
  follow(order: QualityOrder): Promise<void>;
  /** @returns the figures that are settled by now */
  step(recordingIds: string[]): Promise<SettledFigures>;
  measure(order: QualityOrder): Promise<MeasuredRecording>;
  drop(recordingId: string): Promise<void>;
}

export interface RecordingQualityOptions {
  clock: Clock;
  log: Logger;
  db: Db;
  node: string;
  thread: QualityThread;
  /** As `LiveCalls.settleAll`. */
  settle(conversationIds: ReadonlySet<string>): Promise<ReadonlySet<string>>;
  directory: {
    quality: { measured(order: QualityOrder, measured: MeasuredRecording): Promise<void> };
  };
}

/** Of an excerpt that is over everything is there so much later. */
const behindMs = 1500;
/** Shorter recordings are measured as a whole, at their end. */
const leastSeconds = 20;
/** Between steps. */
const leastPauseMs = 1000;
/** So many are measured before one that has ended has its turn. */
const stepRecordings = 2;
/** What was not there, as its packets came late, or nobody sent any for a while, is looked for once more. */
const againMs = 10_000;
/** Settled figures hold until the next are due, and so much longer where the machine is busy. */
const lateMs = 15_000;
/** Each has some 30 kB in memory; those beyond are measured at their end. */
const maxFollowed = 1000;
/** So long the end of a conversation waits for its figures. */
const patienceMs = 150;
/** What a crash left unmeasured; older ones are from before there were figures. */
const previousMs = 24 * 3_600_000;

interface Followed {
  order: QualityOrder;
  sinceUs: number;
  /** When it is stepped next: just behind the end of the next excerpt, or once more behind that of the last. */
  dueUs: number;
  isAgain?: boolean;
  /** Where that excerpt begins, in seconds from the beginning. */
  place: number;
  settled?: { measured: MeasuredRecording; untilUs: number } | undefined;
}

/**
 * The quality figures of each recording: measured along, so that they are known when it ends, or little is left to do.
 * What has to be told then waits for them a moment, and no longer; they come on record all the same.
 *
 *     follow -> behind each excerpt: settle the spool, step -> the recording has ended -> settled: written with its end
 *                                                                   -> otherwise: measure the rest -> the rows have them
 */
export class RecordingQuality {
  readonly #options: RecordingQualityOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #measuring = new Map<string, Promise<void>>();
  readonly #taken = new Set<string>();
  /** Of those that are measured. */
  readonly #erased = new Set<string>();
  #timer: Timer | undefined;
  /** When that is due. */
  #armedUs = Number.POSITIVE_INFINITY;
  #isStepping = false;
  #closed = false;

  constructor(options: RecordingQualityOptions) {
    this.#options = options;
  }

  /** From its start on; it needs no packet yet. */
  follow({ recordingId, conversationId, whenEnded, whenWritten }: Recording): void {
    const order = { recordingId, conversationId };
    if (this.#followed.size < maxFollowed) {
      const sinceUs = this.#options.clock.monotonicUs();
      const firstUs = dueUs(sinceUs, 0);
      this.#followed.set(recordingId, { order, sinceUs, dueUs: firstUs, place: 0 });
      this.#options.thread.follow(order).catch(() => this.#followed.delete(recordingId));
      if (firstUs < this.#armedUs) this.#arm();
    }
    this.#track(order, async () => {
      const reason = await whenEnded;
      // Whoever writes its end has taken the figures, or could not.
      const isTaken = this.#taken.delete(recordingId);
      this.#followed.delete(recordingId);
      if (!isTaken && reason !== 'consent_withdrawn' && reason !== 'error')
        await this.#measure(order, whenWritten);
      // Nobody waits for that.
      else void this.#options.thread.drop(recordingId).catch(() => undefined);
    });
  }

  /**
   * The figures of a recording that has ended just now, where they are known: whoever takes them writes them. Anybody
   * who came, or began to speak, in its last seconds is not passed over, and what was cut off counts for nothing: then
   * it is measured to its end.
   */
  take(summary: RecordingSummary): MeasuredRecording | undefined {
    const { recordingId, reason, isTrimmed, tracks, rateHz, startSample, endSample } = summary;
    const { settled } = this.#followed.get(recordingId) ?? {};
    if (!settled || isTrimmed || reason === 'consent_withdrawn' || reason === 'error') return undefined;
    const { measured, untilUs } = settled;
    const isShort = endSample - startSample <= leastSeconds * rateHz;
    if (isShort || this.#options.clock.monotonicUs() > untilUs) return undefined;
    const isKnown = ({ trackId, packets }: { trackId: string; packets: number }) =>
      packets === 0 || measured.channels[trackId] !== undefined;
    if (!tracks.every(isKnown)) return undefined;
    this.#taken.add(recordingId);
    return wholeFigures(measured, summary);
  }

  /** It was erased: that it can not be measured any more is no fault. */
  forget(recordingId: string): void {
    if (this.#measuring.has(recordingId)) this.#erased.add(recordingId);
  }

  /** Settles when the figures of an ended recording are on record, or it takes too long. Never rejects. */
  async whenMeasured(recordingId: string): Promise<void> {
    const measuring = this.#measuring.get(recordingId);
    if (!measuring) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(patienceMs, late.resolve);
    await Promise.race([measuring, late.promise]);
    timer.cancel();
  }

  /** Measures what the run before left. */
  finishPrevious(): void {
    const { clock, db, node, log } = this.#options;
    const finish = async (): Promise<void> => {
      const rows = await listUnmeasuredRecordings(db, node, new Date(clock.unixMs() - previousMs));
      for (const { recordingId, conversationId } of rows) {
        if (this.#closed) return;
        const order = { recordingId, conversationId };
        await this.#track(order, () => this.#measure(order));
      }
    };
    finish().catch((error: unknown) =>
      log.error({ error }, 'recordings of the run before were not measured'),
    );
  }

  /** Until every recording that was followed has ended, and was measured. */
  async whenIdle(): Promise<void> {
    while (this.#measuring.size > 0) await Promise.allSettled(this.#measuring.values());
  }

  /** What is not measured then, the next start measures. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #track({ recordingId, conversationId }: QualityOrder, work: () => Promise<void>): Promise<void> {
    const tracked = work()
      .catch((error: unknown) => {
        if (this.#closed || this.#erased.has(recordingId)) return;
        if (error instanceof CallreelError && error.code === 'DRAINING') return;
        this.#options.log.warn({ error, conversationId, recordingId }, 'a recording could not be measured');
      })
      .finally(() => {
        this.#measuring.delete(recordingId);
        this.#erased.delete(recordingId);
      });
    this.#measuring.set(recordingId, tracked);
    return tracked;
  }

  /** @param whenWritten when its rows are there */
  async #measure(order: QualityOrder, whenWritten?: Promise<void>): Promise<void> {
    const { thread, directory } = this.#options;
    const measured = await thread.measure(order);
    await whenWritten;
    await directory.quality.measured(order, measured);
  }

  #arm(leastMs = 0): void {
    if (this.#isStepping || this.#closed || this.#followed.size === 0) return;
    const { clock } = this.#options;
    const firstUs = [...this.#followed.values()].reduce(
      (first, each) => Math.min(first, each.dueUs),
      Number.POSITIVE_INFINITY,
    );
    const nowUs = clock.monotonicUs();
    this.#armedUs = Math.max(firstUs, nowUs + leastMs * 1000);
    this.#timer?.cancel();
    this.#timer = clock.after((this.#armedUs - nowUs) / 1000, () => {
      this.#isStepping = true;
      void this.#step().finally(() => {
        this.#isStepping = false;
        this.#armedUs = Number.POSITIVE_INFINITY;
        this.#arm(leastPauseMs);
      });
    });
  }

  async #step(): Promise<void> {
    const nowUs = this.#options.clock.monotonicUs();
    const due = [...this.#followed.values()].filter(({ dueUs }) => dueUs <= nowUs);
    for (let first = 0; first < due.length && !this.#closed; first += stepRecordings) {
      const some = due
        .slice(first, first + stepRecordings)
        .filter(({ order }) => this.#followed.has(order.recordingId));
      if (some.length > 0) await this.#stepThese(some);
    }
  }

  async #stepThese(some: readonly Followed[]): Promise<void> {
    const { clock, settle, thread } = this.#options;
    const atUs = clock.monotonicUs();
    const conversations = new Set(some.map(({ order }) => order.conversationId));
    const ids = some.map(({ order }) => order.recordingId);
    // Also what can not be settled is measured, as far as it is there: its worker was lost, its recordings are about to end.
    await settle(conversations);
    // Where the thread ended, those that it had are measured at their end.
    const figures: SettledFigures | undefined = await thread.step(ids).catch(() => undefined);
    for (const followed of some) {
      const { sinceUs } = followed;
      const measured = figures?.[followed.order.recordingId];
      while (dueUs(sinceUs, followed.place) <= atUs)
        followed.place = placeBehind(followed.place, measured !== undefined);
      const nextUs = dueUs(sinceUs, followed.place);
      followed.settled = measured && { measured, untilUs: nextUs + lateMs * 1000 };
      followed.isAgain = !measured && !followed.isAgain;
      followed.dueUs = followed.isAgain ? Math.min(nextUs, atUs + againMs * 1000) : nextUs;
    }
  }
}

function dueUs(sinceUs: number, place: number): number {
  return sinceUs + ((place + excerptSeconds) * 1000 + behindMs) * 1000;
}

/**
 * They were worked out some time ago: somebody has spoken on since, as much of the time as before, and whoever came
 * since sent nothing.
 */
function wholeFigures({ mix, channels }: MeasuredRecording, summary: RecordingSummary): MeasuredRecording {
  const { rateHz, tracks, recordedSamples } = summary;
  const whole = tracks.map(({ trackId, recordedSamples }) => {
    const figures: ChannelFigures = channels[trackId] ?? { ...figuresOfNothing, driftPpm: null };
    return [trackId, ofSeconds(figures, recordedSamples / rateHz)] as const;
  });
  return { mix: ofSeconds(mix, recordedSamples / rateHz), channels: Object.fromEntries(whole) };
}

function ofSeconds<Figures extends QualityFigures>(figures: Figures, seconds: number): Figures {
  const speechSeconds = figures.note === 'no_speech' ? 0 : (1 - figures.silenceShare) * seconds;
  return { ...figures, speechSeconds };
}
