import type { PortRange } from '../../src/rtp/port-range.ts';

/** The product's own first one; behind `last` the system picks ports for programs that name none. */
const bounds = { first: 20_000, last: 32_767 };
/** RTP and RTCP of both legs. */
const portsOfCall = 4;
/** As many as the calls need at once, and as many again. */
const spare = 2;

/** Few enough that a port is soon another call's, and that the search for a free one finds many that are taken. */
export function portsFor(calls: number): PortRange {
  const last = bounds.first + spare * portsOfCall * calls - 1;
  if (last > bounds.last)
    throw new Error(`${calls} calls are more than ports ${bounds.first} to ${bounds.last} carry`);
  return { first: bounds.first, last };
}
