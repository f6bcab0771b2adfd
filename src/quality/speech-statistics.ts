import { BandLevels, bandCount, hopsPerSecond, rowLength } from './band-levels.ts';
import { FallStatistics } from './fall-statistics.ts';
import type { FeatureSink } from './feature-sink.ts';
import { LevelStatistics, levelAt } from './level-statistics.ts';
import { ModulationStatistics } from './modulation-statistics.ts';
import { packNumbers, unpackNumbers } from './packed-numbers.ts';
import { SlopeStatistics } from './slope-statistics.ts';

/** What is looked at together: everything, and bands in pairs. */
const groups: readonly (readonly number[])[] = [[bandCount], [1, 2], [3, 4], [5, 6], [7, 8]];
const groupLength =
  SlopeStatistics.stateLength + FallStatistics.stateLength + ModulationStatistics.stateLength;
/** A block so much softer than speech was before is no speech: only its levels count. */
const softBlockDb = 25;
const clampDb = 45;
/** Fewer rows than this tell nothing of decays. */
const leastRows = 50;

/** The statistics that are being looked at: an array of numbers, and what its parts are. */
class Workspace {
  readonly state: Float64Array;
  readonly levels: LevelStatistics;
  readonly slopes: SlopeStatistics[];
  readonly falls: FallStatistics[];
  readonly modulations: ModulationStatistics[];

  constructor() {
    this.state = new Float64Array(LevelStatistics.stateLength + groups.length * groupLength);
    let at = 0;
    const next = (length: number): Float64Array => this.state.subarray(at, (at += length));
    this.levels = new LevelStatistics(next(LevelStatistics.stateLength));
    this.slopes = groups.map(() => new SlopeStatistics(next(SlopeStatistics.stateLength)));
    this.falls = groups.map(() => new FallStatistics(next(FallStatistics.stateLength)));
    this.modulations = groups.map(() => new ModulationStatistics(next(ModulationStatistics.stateLength)));
  }
}

/** One for all: many signals are measured along, each looked at once in ten seconds. */
let workspace: Workspace | undefined;

/**
 * What the models look at, gathered block by block. All of it is counts and sums: memory does not grow, and is a fifth
 * of theirs as they are packed meanwhile.
 */
export class SpeechStatistics {
  #packed: Uint8Array | undefined;

  copy(): SpeechStatistics {
    const copy = new SpeechStatistics();
    copy.#packed = this.#packed;
    return copy;
  }

  /** Rows with audio in them. */
  get rows(): number {
    return this.#unpacked().levels.rows;
  }

  get isSpeech(): boolean {
    return this.#unpacked().levels.isSpeech;
  }

  /** `count` rows of `rowLength` level steps, as they follow one another. */
  addBlock(rows: Uint8Array, count: number): void {
    const statistics = this.#unpacked();
    add(statistics, rows, count);
    this.#packed = packNumbers(statistics.state);
  }

  features(put: FeatureSink): void {
    const { levels, slopes, falls, modulations } = this.#unpacked();
    levels.features(put);
    for (const group of groups.keys()) {
      const prefix = group === 0 ? 'all' : `pair ${group}`;
      slopes[group]!.features(put, prefix);
      falls[group]!.features(put, prefix);
      modulations[group]!.features(put, prefix);
    }
  }

  /** Valid until another one's. */
  #unpacked(): Workspace {
    workspace ??= new Workspace();
    if (this.#packed) unpackNumbers(this.#packed, workspace.state);
    else workspace.state.fill(0);
    return workspace;
  }
}

function add({ levels, slopes, falls, modulations }: Workspace, rows: Uint8Array, count: number): void {
  const topBefore = levels.topDbov;
  levels.add(rows, count);
  const whole = groupLevels(rows, count, groups[0]!);
  if (count < leastRows || percentileOf(whole, 95) < topBefore - softBlockDb) return;
  for (const [group, bands] of groups.entries()) {
    const levelsOfGroup = group === 0 ? whole : groupLevels(rows, count, bands);
    const top = percentileOf(levelsOfGroup, 95);
    const floor = Math.max(top - clampDb, percentileOf(levelsOfGroup, 3));
    const relative = levelsOfGroup.map((level) => Math.max(level, floor) - top);
    slopes[group]!.add(relative);
    falls[group]!.add(relative);
    modulations[group]!.add(relative);
  }
}

/** Rows that are looked at together: their loudest are the speech, their softest the noise. */
export const blockRows = 10 * hopsPerSecond;

/** Of a whole signal at 8 kHz. */
export function statisticsOf(samples: Int16Array): SpeechStatistics {
  const statistics = new SpeechStatistics();
  const blocks = new RowBlocks(statistics);
  new BandLevels(blocks).push(samples, 0, samples.length);
  blocks.end();
  return statistics;
}

const firstRows = 25;
const noRows = new Uint8Array(0);

/** Gathers rows to blocks. */
export class RowBlocks {
  readonly #statistics: SpeechStatistics;
  #rows = noRows;
  #count = 0;
  #blocks = 0;

  constructor(statistics: SpeechStatistics) {
    this.#statistics = statistics;
  }

  /** How many were gathered. */
  get blocks(): number {
    return this.#blocks;
  }

  /** The statistics without the rows that make no block yet; they grow. */
  get gathered(): SpeechStatistics {
    return this.#statistics;
  }

  row(levels: Uint8Array): void {
    if (this.#rows.length === this.#count * rowLength) this.#grow();
    this.#rows.set(levels, this.#count * rowLength);
    this.#count += 1;
    if (this.#count === blockRows) this.end();
  }

  /** What comes next does not follow what came before. */
  end(): void {
    this.#statistics.addBlock(this.#rows, this.#count);
    this.#count = 0;
    this.#rows = noRows;
    this.#blocks += 1;
  }

  /** The statistics with the rows that make no block yet; both stay as they are. */
  soFar(): SpeechStatistics {
    const copy = this.#statistics.copy();
    copy.addBlock(this.#rows, this.#count);
    return copy;
  }

  /** Of a long signal most of the time there are none. */
  #grow(): void {
    const rows = Math.min(blockRows, Math.max(firstRows, 2 * this.#count));
    const larger = new Uint8Array(rows * rowLength);
    larger.set(this.#rows);
    this.#rows = larger;
  }
}

function groupLevels(rows: Uint8Array, count: number, bands: readonly number[]): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (const band of bands) sum += levelAt(rows, row, band);
    return sum / bands.length;
  });
}

function percentileOf(levels: Float64Array, percent: number): number {
  const sorted = levels.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))] ?? Number.NaN;
}
