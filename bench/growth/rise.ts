import { slopeOf } from './slope.ts';

/** Memory of a process, or what one of its threads keeps, after so many calls. */
export interface Series {
  name: string;
  kind: 'kept' | 'resident';
  /** Megabytes of 1,048,576 bytes. */
  points: readonly (readonly [calls: number, megabytes: number])[];
}

export interface Rise {
  name: string;
  kind: Series['kind'];
  firstMB: number;
  lastMB: number;
  /** Of the straight line through all points, over all calls. */
  riseMB: number;
  bytesPerCall: number;
  grows: boolean;
}

/**
 * A rise that is less is none, as looks without a call between them differ by it. Over 10,000 calls the one is 52 bytes a
 * call, which is less than an id that somebody forgot in a Map; the other is 2 kB a call.
 */
export const toleranceMB = { kept: 0.5, resident: 20 } as const;

const megabyte = 1024 * 1024;

export function riseOf({ name, kind, points }: Series): Rise {
  const [first, last] = [points[0], points.at(-1)];
  const slope = slopeOf(points);
  const riseMB = slope * ((last?.[0] ?? 0) - (first?.[0] ?? 0));
  return {
    ...{ name, kind, firstMB: first?.[1] ?? Number.NaN, lastMB: last?.[1] ?? Number.NaN, riseMB },
    bytesPerCall: slope * megabyte,
    // So is what was not measured at all.
    grows: !(riseMB <= toleranceMB[kind]),
  };
}
