import assert from 'node:assert/strict';
import { testVoices } from '../src/quality/test-voices.ts';
import { TestGrowingRecording } from '../src/render/test-growing-recording.ts';
import { testStream } from '../src/render/test-track.ts';
import { TestSpool } from '../src/spool/test-spool.ts';
import { QualityDesk } from '../src/worker/quality-desk.ts';
import { formatTable } from './table.ts';

const rateHz = 8000;
const stepSeconds = 5;
const shortSeconds = 30;

/**
 * What measuring costs: an hour of a call of two who talk by turns (G.711), spooled on a clock of its own and followed
 * as the server follows it; and what is left to do at the ends of recordings.
 */
export async function run(): Promise<object> {
  const hour = await follow(3600, 'A');
  const short = await follow(shortSeconds, 'B');
  const figures = {
    cpuSecondsPerCallHour: rounded(hour.alongSeconds + hour.endSeconds),
    cpuSecondsWholeAtEnd: rounded(hour.wholeSeconds),
    endMsOfHour: rounded(hour.endSeconds * 1000),
    endMsOfShort: rounded(short.endSeconds * 1000),
  };
  const table = formatTable(
    ['', 'CPU time'],
    [
      ['an hour of a call of two, along', `${figures.cpuSecondsPerCallHour} s`],
      ['the same, measured only at its end', `${figures.cpuSecondsWholeAtEnd} s`],
      [`its end: the last ${stepSeconds} s`, `${figures.endMsOfHour} ms`],
      [`the end of a call of ${shortSeconds} s`, `${figures.endMsOfShort} ms`],
    ],
  );
  process.stdout.write(`${table}\n`);
  return figures;
}

async function follow(seconds: number, recordingId: string) {
  const spool = new TestSpool({ ringBytes: 1 << 24 });
  try {
    const endUs = seconds * 1e6;
    const talks = [0, 1].map((party) => ({
      trackId: 'ab'[party]!,
      records: testStream(turns(party, seconds)).records,
      leaveUs: endUs,
    }));
    const growing = new TestGrowingRecording(talks, [], { spool, recordingId });
    const { spoolDirectory: spoolDir, masterKey } = spool;
    const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
    const order = { conversationId: 'room', recordingId };
    desk.follow(order);
    let alongSeconds = 0;
    for (let timeUs = 0; timeUs < endUs; timeUs += stepSeconds * 1e6) {
      growing.until(timeUs);
      growing.settle();
      const before = process.cpuUsage();
      desk.step([recordingId]);
      alongSeconds += secondsSince(before);
    }
    growing.end(endUs);
    let before = process.cpuUsage();
    const along = await desk.measure(order);
    const endSeconds = secondsSince(before);
    before = process.cpuUsage();
    assert.deepEqual(await desk.measure(order), along);
    const wholeSeconds = secondsSince(before);
    for (const figures of Object.values(along.channels)) assert.ok(figures.snrDb! > 20);
    return { alongSeconds, endSeconds, wholeSeconds };
  } finally {
    spool.remove();
  }
}

/** One speaks while the other is silent. */
function turns(party: number, seconds: number): Int16Array {
  const voice = testVoices[party]!.prompts[0]!.subarray(0, 20 * rateHz);
  const at = (sample: number) => (sample + party * voice.length) % (2 * voice.length);
  return Int16Array.from({ length: seconds * rateHz }, (_, sample) => voice[at(sample)] ?? 0);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
