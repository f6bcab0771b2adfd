import type { PortRange } from '../../src/rtp/port-range.ts';

/** Of what a soak found, all that has to be right. */
export interface SoakedPart {
  name: string;
  /** Whether the kernel let the server have an io_uring; undefined: whatever there was. */
  hasUring: boolean | undefined;
  driver: string;
  driverNote: string | undefined;
  calls: number;
  refused: number;
  /** INVITEs to a called party for which no call waited. */
  strayInvites: number;
  /** Verified. */
  recordings: number;
  /** Channels that are not what was sent, calls that failed, workers that died, and lines of the log. */
  faults: number;
  missingPackets: number;
  wrongPackets: number;
  overflows: number;
  sendsFailed: number;
  collections: number;
  ports: PortRange;
  legsByPort: ReadonlyMap<number, number>;
  exitCode: number | null;
}

/** @returns why this part of a soak is none that held; nothing where it is */
export function shortcomingsOf(part: SoakedPart): string[] {
  const { ports, legsByPort, exitCode } = part;
  const outside = [...legsByPort.keys()].filter((port) => port < ports.first || port > ports.last);
  const found: [boolean, string][] = [
    [part.calls === 0, 'no call was set up'],
    [part.refused > 0, `${part.refused} calls were refused`],
    [part.strayInvites > 0, `${part.strayInvites} INVITEs came for which no call waited`],
    [part.faults > 0, `${part.faults} faults`],
    [part.recordings !== part.calls, `${part.recordings} recordings of ${part.calls} calls are verified`],
    [part.missingPackets > 0, `${part.missingPackets} packets were not relayed`],
    [part.wrongPackets > 0, `${part.wrongPackets} packets were none of the other party's`],
    [part.overflows > 0, `${part.overflows} packets were dropped before the spool`],
    [part.sendsFailed > 0, `${part.sendsFailed} packets could not be sent`],
    [part.collections === 0, 'no thread collected its garbage'],
    [outside.length > 0, `ports outside of ${ports.first} to ${ports.last}: ${outside.join(', ')}`],
    [exitCode !== 0, `the server ended with code ${exitCode}`],
  ];
  const uring = uringShortcoming(part);
  const all = found.filter(([isSo]) => isSo).map(([, what]) => what);
  return [...all, ...(uring === undefined ? [] : [uring])].map((what) => `${part.name}: ${what}`);
}

/** By what the driver says of itself (`transport-ffi`). */
function uringShortcoming({ hasUring, driver, driverNote = '' }: SoakedPart): string | undefined {
  if (hasUring === undefined) return undefined;
  if (hasUring)
    return driver === 'ffi' && !/io_uring|one by one/.test(driverNote)
      ? undefined
      : `it did not run by io_uring: ${driver}, ${driverNote}`;
  return /io_uring_setup: EPERM/.test(driverNote)
    ? undefined
    : `nothing shows that io_uring was forbidden: ${driver}, ${driverNote}`;
}

const warnLevel = 40;

/** Lines of a server's log that speak of a fault, in short. */
export function faultsLogged(log: readonly Record<string, unknown>[]): string[] {
  return log
    .filter(({ level }) => Number(level) >= warnLevel)
    .map((entry) => JSON.stringify(entry).slice(0, 500));
}
