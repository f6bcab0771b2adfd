import type { CallreelError } from '../errors.ts';
import type { PacketSeries } from '../spool/packet-series.ts';
import type { PauseBehaviour, SpoolRecord, TrackSide } from '../spool/records.ts';

/**
 * What rendering needs to know of a recording. Positions are samples at `rateHz` on the room's clock. The view is a
 * snapshot: a growing recording is opened anew to see more of it.
 */
export interface RecordingView {
  rateHz: number;
  /** The one half of a call that it is about; the other side of a stereo file is silent. */
  direction?: 'speak' | 'listen';
  startSample: number;
  /** Undefined while the recording grows. */
  endSample: number | undefined;
  tracks: TrackView[];
  /** In rising order. */
  pauses: PauseView[];
  /** `off`: lost packets are silence, for who wants nothing in a file but what was received. Otherwise: concealed. */
  lossConcealment?: 'off';
  /**
   * Told once for every reading of a track whose spool is damaged: it is silent from there on. Without it the
   * reading throws.
   */
  onDamage?: (trackId: string, error: CallreelError) => void;
  /** Awaited before every piece of work, for others on the same thread to have their turn. `setImmediate` unless given. */
  turn?: () => Promise<void>;
}

export interface TrackView {
  trackId: string;
  /** Without it: said. */
  side?: TrackSide;
  /** Whose stay it is: two of one party have the same. Without it: a party of its own. */
  connectionId?: string;
  startSample: number;
  /** Undefined while the stay goes on, or where a crash kept it from being written. */
  endSample: number | undefined;
  /** Every call begins anew; records in the order of arrival, each valid until the next. Payloads stay valid. */
  records(): Iterable<SpoolRecord> & { [Symbol.iterator](): RecordIterator };
  /**
   * Of a track that is read along while it grows (`GrowingSignal`): whether its records, where they ran out, have
   * ended. Then they are read once, may be asked for again after they ran out, and only `PlacedPackets.poll` does.
   */
  isWhole?(): boolean;
}

export interface RecordIterator extends Iterator<SpoolRecord> {
  /** The next packets, where several follow one another; undefined where the next record has to tell. */
  nextSeries?(): PacketSeries | undefined;
}

export interface PauseView {
  fromSample: number;
  /** Undefined while it lasts. */
  toSample: number | undefined;
  behaviour: PauseBehaviour;
}

/** Reads samples one after the other from a position on. */
export interface SampleReader {
  /** Fills all of `out` with the next samples. */
  read(out: Int16Array): void;
}

/** Where a track ends in a recording that ends at `endSample`. */
export function trackEnd(track: TrackView, endSample: number): number {
  return Math.max(track.startSample, Math.min(track.endSample ?? endSample, endSample));
}
