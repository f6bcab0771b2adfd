import { cpus } from 'node:os';
import type { PortRange } from '../../src/rtp/port-range.ts';
import type { MemoryMB } from '../capacity/bench-server.ts';
import type { ChurnResult } from '../capacity/churned-calls.ts';
import { type LoadReport, voidReason } from '../capacity/load-generator.ts';
import { formatTable } from '../table.ts';
import { type SoakedPart, shortcomingsOf } from './shortcomings.ts';

export interface Sample {
  minute: number;
  memory: MemoryMB;
  /** After forced collections, heap and array buffers of all threads. */
  keptMB: number;
  callsBefore: number;
}

export interface Half {
  name: string;
  /** As `SoakedPart.hasUring`. */
  hasUring: boolean | undefined;
  driver: string;
  driverNote: string | undefined;
  churn: ChurnResult;
  load: LoadReport;
  samples: Sample[];
  collections: number;
  longestCollectionMs: number;
  tickLatenessP999Ms: number;
  overflows: number;
  sendsFailed: number;
  /** INVITEs to a called party for which no call waited. */
  strayInvites: number;
  /** Why calls were refused. */
  shortages: string[];
  faults: string[];
  ports: PortRange;
  /** Of the server, once it was stopped. */
  exitCode: number | null;
}

const packetMs = 20;

/** Prints tables. @returns what the JSON has */
export function report(halves: readonly Half[], work: { minutes: number; calls: number }) {
  const parts = halves.map(partOf);
  for (const { name, faults } of halves)
    for (const [fault, ...others] of byKind(faults).slice(0, 20))
      tell(`${name}: ${fault}${others.length > 0 ? ` (and ${others.length} like it)` : ''}`);
  process.stdout.write(`${work.calls} calls that come and go for ${work.minutes} min, recorded\n`);
  process.stdout.write(
    `${formatTable(
      [
        ...['', 'driver', 'calls', 'verified', 'gap samples', 'lost packets', 'not relayed', 'faults'],
        ...['tick p99.9 ms', 'longest collection ms'],
      ],
      parts.map((part) => [
        ...[part.name, part.driver, part.calls, part.recordings, part.gapSamples, part.lostPackets],
        ...[part.missingPackets, part.faults, part.tickLatenessP999Ms, part.longestCollectionMs],
      ]),
    )}\n`,
  );
  process.stdout.write(
    `${formatTable(
      ['', 'minute', 'server MB', 'workers MB', 'kept MB', 'calls'],
      halves.flatMap(({ name, samples }) =>
        samples.map(({ minute, memory, keptMB, callsBefore }) => [
          ...[name, minute, Math.round(memory.server), Math.round(memory.workers)],
          ...[Math.round(keptMB), callsBefore],
        ]),
      ),
    )}\n`,
  );
  const sum = (value: (part: (typeof parts)[number]) => number) => sumOf(parts.map(value));
  return {
    ...work,
    successiveCalls: sum((part) => part.calls),
    recordings: sum((part) => part.recordings),
    gapSamples: sum((part) => part.gapSamples),
    lostPackets: sum((part) => part.lostPackets),
    missingPackets: sum((part) => part.missingPackets),
    faults: sum((part) => part.faults),
    shortcomings: parts.flatMap((part) => part.shortcomings),
    voidReason: parts.find((part) => part.voidReason !== null)?.voidReason ?? null,
    parts,
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
  };
}

function partOf(half: Half) {
  const { churn: result, load, samples, ports } = half;
  const { findings } = result.check;
  const [first, last] = [samples[0], samples.at(-1)];
  return {
    ...{ name: half.name, driver: half.driver, driverNote: half.driverNote },
    ...{ calls: result.setUp, refused: result.refused, shortages: half.shortages },
    ...{ strayInvites: half.strayInvites, recordings: findings.recordings },
    ...{ gapSamples: findings.gapSamples, lostPackets: findings.lostPackets },
    ...{ missingPackets: load.missing, wrongPackets: load.wrong },
    mostSilentBeforeMs: load.mostSilentBefore * packetMs,
    ...{ leadingMs: findings.leadingMs, faults: half.faults.length },
    ...{ overflows: half.overflows, sendsFailed: half.sendsFailed },
    ...{ tickLatenessP999Ms: half.tickLatenessP999Ms, collections: half.collections },
    longestCollectionMs: Math.round(half.longestCollectionMs),
    rtpPorts: `${ports.first}-${ports.last}`,
    ...{ legs: sumOf([...result.legsByPort.values()]), rtpPortsOfLegs: result.legsByPort.size },
    shortcomings: shortcomingsOf(soakedPart(half)),
    voidReason: voidReason(load) ?? null,
    rssMB: [first, last].map((each) => each && Math.round(each.memory.server + each.memory.workers)),
    keptMB: [first, last].map((each) => each && Math.round(each.keptMB)),
  };
}

function soakedPart(half: Half): SoakedPart {
  const { churn: result, load, faults } = half;
  const { setUp: calls, refused, legsByPort } = result;
  const { recordings } = result.check.findings;
  const { missing: missingPackets, wrong: wrongPackets } = load;
  return {
    ...half,
    ...{ calls, refused, recordings, legsByPort, missingPackets, wrongPackets, faults: faults.length },
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Those that differ in numbers and names alone together, the most first. */
function byKind(faults: readonly string[]): string[][] {
  const kinds = Map.groupBy(faults, (fault) => fault.replaceAll(/[0-9a-f]{16}|\d+/g, '#'));
  return [...kinds.values()].toSorted((a, b) => b.length - a.length);
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
