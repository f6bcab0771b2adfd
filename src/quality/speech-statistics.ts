import { analysisRateHz, bandLevels } from './band-levels.ts';
import { FallStatistics } from './fall-statistics.ts';
import type { FeatureSink } from './feature-sink.ts';
import { FineStatistics } from './fine-statistics.ts';
import { kernel } from './kernel.ts';
import { isSteady, type LevelRange, LevelStatistics, levelRange } from './level-statistics.ts';
import { ModulationStatistics } from './modulation-statistics.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';
import { SlopeStatistics } from './slope-statistics.ts';

/** What is looked at together: everything, and bands in pairs. */
const groupNames = ['all', 'pair 1', 'pair 2', 'pair 3', 'pair 4'];

/** What is looked at together: 10 s. */
export const blockSamples = 10 * analysisRateHz;

/** Takes what a block is like, and who tells what it says by itself, which is to be asked at once. */
export type BlockListener = (range: LevelRange, own: () => SpeechStatistics) => void;

/** The statistics that are being looked at: an array of numbers, and what its parts are. */
class Workspace {
  readonly state: Float64Array;
  readonly levels: LevelStatistics;
  readonly slopes: SlopeStatistics[];
  readonly falls: FallStatistics[];
  readonly modulations: ModulationStatistics[];
  readonly fine: FineStatistics;

  constructor() {
    this.state = kernel().state;
    let at = 0;
    const next = (length: number): Float64Array => this.state.subarray(at, (at += length));
    this.levels = new LevelStatistics(next(LevelStatistics.stateLength));
    this.slopes = groupNames.map(() => new SlopeStatistics(next(SlopeStatistics.stateLength)));
    this.falls = groupNames.map(() => new FallStatistics(next(FallStatistics.stateLength)));
    this.modulations = groupNames.map(() => new ModulationStatistics(next(ModulationStatistics.stateLength)));
    this.fine = new FineStatistics(next(FineStatistics.stateLength));
  }
}

/** One for all: many signals are measured along, each looked at once in ten seconds. */
let workspace: Workspace | undefined;

/**
 * What the models look at, gathered block by block. All of it is counts and sums: memory does not grow, and is a fifth
 * of theirs as they are packed meanwhile. A block 25 dB softer than speech was before is no speech: only its levels count.
 */
export class SpeechStatistics {
  #packed: Uint8Array | undefined;
  #rows = 0;
  #isSpeech = false;

  copy(): SpeechStatistics {
    const copy = new SpeechStatistics();
    copy.#packed = this.#packed?.slice();
    copy.#rows = this.#rows;
    copy.#isSpeech = this.#isSpeech;
    return copy;
  }

  /** Rows with audio in them. */
  get rows(): number {
    return this.#rows;
  }

  get isSpeech(): boolean {
    return this.#isSpeech;
  }

  /**
   * Adds `samples[start..end)` at 8 kHz, at most `blockSamples`: their loudest moments are the speech, their softest the noise.
   * @param heard told of a block with audio in it that is not steady, before it is added
   * @returns false of steady sound, which counts for nothing: of who listens for a long time, noise would be taken for speech
   */
  addBlock(samples: Int16Array, start: number, end: number, heard?: BlockListener): boolean {
    const { rows, count, fineCount } = bandLevels(samples, start, end);
    const range = levelRange(rows, count);
    if (range && isSteady(range)) return false;
    if (range) heard?.(range, () => new SpeechStatistics().#added(count, fineCount));
    this.#added(count, fineCount);
    return true;
  }

  /** What the kernel has rows of. */
  #added(count: number, fineCount: number): this {
    const { state, levels } = this.#unpacked();
    kernel().run.addBlock(count, fineCount);
    this.#packed = packNumbers(state, this.#packed);
    this.#rows = levels.rows;
    this.#isSpeech = levels.isSpeech;
    return this;
  }

  features(put: FeatureSink): void {
    const { levels, slopes, falls, modulations, fine } = this.#unpacked();
    levels.features(put);
    for (const [group, prefix] of groupNames.entries()) {
      slopes[group]!.features(put, prefix);
      falls[group]!.features(put, prefix);
      modulations[group]!.features(put, prefix);
    }
    fine.features(put);
  }

  /** Valid until another one's. */
  #unpacked(): Workspace {
    workspace ??= new Workspace();
    if (this.#packed) unpackNumbers(this.#packed, workspace.state);
    else workspace.state.fill(0);
    return workspace;
  }
}

/** Of a whole signal at 8 kHz. */
export function statisticsOf(samples: Int16Array): SpeechStatistics {
  const statistics = new SpeechStatistics();
  for (let at = 0; at < samples.length; at += blockSamples)
    statistics.addBlock(samples, at, Math.min(samples.length, at + blockSamples));
  return statistics;
}
