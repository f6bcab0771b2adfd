import type { QualityFigures } from './quality-meter.ts';

/** Of one party. */
export interface ChannelFigures extends QualityFigures {
  /**
   * How much slower the party's clock runs than the room's, in parts per million; below 0 it is fast. Null where it is
   * not known: of a short call. Figures of older recordings lack it.
   */
  driftPpm?: number | null;
}
