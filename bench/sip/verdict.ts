/** Calls of one kind. */
export interface PlacedCalls {
  kind: string;
  placed: number;
  /** From the first call that was placed to the last one. */
  placingSeconds: number;
  /** Each, how it ended. */
  failures: readonly string[];
  /** Callers whose row says that they hung up. */
  onRecord: number;
}

/** Of what was asked for. */
const leastShare = 0.99;

/** @returns calls placed in a second */
export function achievedRate({ placed, placingSeconds }: PlacedCalls): number {
  return (placed - 1) / placingSeconds;
}

/** @returns why the figures are not those of the rate that was asked for; null where they are */
export function voidReason(calls: PlacedCalls, rate: number): string | null {
  const achieved = achievedRate(calls);
  if (achieved >= rate * leastShare) return null;
  return `${calls.kind}: only ${achieved.toFixed(1)} of ${rate} calls a second were placed`;
}

/** @returns what went wrong; nothing where every call was set up, ended by its caller, and is on record so */
export function shortcomingsOf({ kind, placed, failures, onRecord }: PlacedCalls): string[] {
  const found: string[] = [];
  if (failures.length > 0) found.push(`${kind}: ${failures.length} of ${placed} calls failed`);
  if (onRecord !== placed)
    found.push(`${kind}: ${onRecord} of ${placed} calls are on record as hung up by their caller`);
  return found;
}
