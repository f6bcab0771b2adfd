import assert from 'node:assert/strict';
import { excerptSeconds, placeBehind } from '../src/quality/excerpts.ts';
import { testVoices } from '../src/quality/test-voices.ts';
import { TestGrowingRecording } from '../src/render/test-growing-recording.ts';
import { testStream } from '../src/render/test-track.ts';
import type { SpoolRecord } from '../src/spool/records.ts';
import { TestSpool } from '../src/spool/test-spool.ts';
import { QualityDesk } from '../src/worker/quality-desk.ts';
import type { QualityOrder } from '../src/worker/quality-protocol.ts';
import { formatTable } from './table.ts';

const rateHz = 8000;
const stepSeconds = 5;
const shortSeconds = 30;
const minuteCalls = 40;
const longerCalls = 16;
/** So much behind an excerpt the server looks at it. */
const behindSeconds = 1.5;

/**
 * What measuring costs: an hour of a call of two who talk by turns (G.711), spooled on a clock of its own and followed
 * as the server follows it; what is left to do at the ends of recordings; and calls of one and of five minutes, looked at
 * when the server does.
 */
export async function run(): Promise<object> {
  const hour = await follow(3600, 'A');
  const short = await follow(shortSeconds, 'B');
  const { byTurns, bothAlways, oneSilent, bothAlwaysFiveMinutes } = await manyCalls();
  const figures = {
    cpuSecondsPerCallHour: rounded(hour.alongSeconds + hour.endSeconds),
    cpuSecondsWholeAtEnd: rounded(hour.wholeSeconds),
    endMsOfHour: rounded(hour.endSeconds * 1000),
    endMsOfShort: rounded(short.endSeconds * 1000),
    msOfMinute: rounded(byTurns),
    msOfMinuteBothAlways: rounded(bothAlways),
    msOfMinuteOneSilent: rounded(oneSilent),
    msOfFiveMinutesBothAlways: rounded(bothAlwaysFiveMinutes),
  };
  const table = formatTable(
    ['', 'CPU time'],
    [
      ['an hour of a call of two, along', `${figures.cpuSecondsPerCallHour} s`],
      ['the same, measured only at its end', `${figures.cpuSecondsWholeAtEnd} s`],
      [`its end: the last ${stepSeconds} s`, `${figures.endMsOfHour} ms`],
      [`the end of a call of ${shortSeconds} s`, `${figures.endMsOfShort} ms`],
      ['a call of a minute, along and its end', `${figures.msOfMinute} ms`],
      ['the same, where both speak all the time', `${figures.msOfMinuteBothAlways} ms`],
      ['the same, where one never speaks', `${figures.msOfMinuteOneSilent} ms`],
      ['a call of five minutes, where both speak all the time', `${figures.msOfFiveMinutesBothAlways} ms`],
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

/** CPU milliseconds for each of many calls of a minute, and of five. */
async function manyCalls() {
  const parties = [0, 1].map((party) => testStream(turns(party, 60)).records);
  const silent = testStream(new Int16Array(60 * rateHz)).records;
  const [talk, longTalk] = [60, 300].map((seconds) =>
    [0, 1].map((party) => testStream(always(party, seconds)).records),
  );
  await ofCalls(4, 60, parties);
  return {
    byTurns: await ofCalls(minuteCalls, 60, parties),
    bothAlways: await ofCalls(minuteCalls, 60, talk!),
    oneSilent: await ofCalls(minuteCalls, 60, [parties[0]!, silent]),
    bothAlwaysFiveMinutes: await ofCalls(longerCalls, 300, longTalk!),
  };
}

async function ofCalls(calls: number, seconds: number, parties: readonly SpoolRecord[][]): Promise<number> {
  const spool = new TestSpool({ ringBytes: 1 << 24 });
  try {
    const { spoolDirectory: spoolDir, masterKey } = spool;
    const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
    const rooms = roomsOf(spool, calls, seconds, parties);
    const orders = rooms.map(({ order }) => order);
    for (const order of orders) desk.follow(order);
    const known = new Set<string>();
    let cpuSeconds = 0;
    let spooledSeconds = 0;
    // All of them talk alike, and are looked at alike.
    for (let place = 0; ; place = placeBehind(place, known.size > 0)) {
      const lookSeconds = place + excerptSeconds + behindSeconds;
      if (lookSeconds >= seconds) break;
      for (; spooledSeconds <= lookSeconds; spooledSeconds++)
        for (const { growing } of rooms) growing.until(spooledSeconds * 1e6);
      settleAll(rooms.map(({ growing }) => growing));
      cpuSeconds += stepped(desk, orders, known);
    }
    for (const { growing } of rooms) growing.end(seconds * 1e6);
    const before = process.cpuUsage();
    for (const order of orders) {
      if (known.has(order.recordingId)) desk.drop(order.recordingId);
      else await desk.measure(order);
    }
    return ((cpuSeconds + secondsSince(before)) * 1000) / calls;
  } finally {
    spool.remove();
  }
}

function roomsOf(spool: TestSpool, calls: number, seconds: number, parties: readonly SpoolRecord[][]) {
  return Array.from({ length: calls }, (_, call) => {
    const name = (0x100 + call).toString(16).toUpperCase();
    const leaveUs = seconds * 1e6;
    const talks = parties.map((records, party) => ({ trackId: `${party}${name}`, records, leaveUs }));
    const order = { conversationId: `room${name}`, recordingId: name };
    return { order, growing: new TestGrowingRecording(talks, [], { spool, ...order }) };
  });
}

function settleAll(recordings: readonly TestGrowingRecording[]): void {
  for (const growing of recordings) growing.settle();
}

/** @returns CPU seconds; of `known` nothing is left to do at their ends */
function stepped(desk: QualityDesk, orders: readonly QualityOrder[], known: Set<string>): number {
  const before = process.cpuUsage();
  for (const { recordingId } of orders) if (desk.step([recordingId])[recordingId]) known.add(recordingId);
  return secondsSince(before);
}

/** One speaks while the other is silent. */
function turns(party: number, seconds: number): Int16Array {
  const voice = testVoices[party]!.prompts[0]!.subarray(0, 20 * rateHz);
  const at = (sample: number) => (sample + party * voice.length) % (2 * voice.length);
  return Int16Array.from({ length: seconds * rateHz }, (_, sample) => voice[at(sample)] ?? 0);
}

/** Both speak at once, as phones that are driven do. */
function always(party: number, seconds: number): Int16Array {
  const voice = testVoices[party]!.prompts[0]!;
  return Int16Array.from({ length: seconds * rateHz }, (_, sample) => voice[sample % voice.length]!);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
