/** `first` and `last` are inclusive; both 0 let the system pick any free port. */
export interface PortRange {
  first: number;
  last: number;
}

export function isEphemeral(range: PortRange): boolean {
  return range.first === 0 && range.last === 0;
}

/** How many even ports the range holds (RFC 3550 section 11: RTP on the even port, RTCP on the next). */
export function countPorts({ first, last }: PortRange): number {
  const firstEven = first + (first % 2);
  return Math.max(0, Math.floor((last - firstEven) / 2) + 1);
}

/** Every even port of the range once, from the one at `startIndex` on, then around. */
export function* searchPorts(range: PortRange, startIndex: number): Generator<number> {
  const count = countPorts(range);
  const firstEven = range.first + (range.first % 2);
  for (let i = 0; i < count; i++) yield firstEven + 2 * ((startIndex + i) % count);
}
