import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inactivity } from './inactivity.ts';

const slotUs = 20_000;

function watch(timeoutMs: number | undefined) {
  const reports: number[] = [];
  const inactivity = new Inactivity((silentMs) => reports.push(silentMs));
  inactivity.agree(timeoutMs);
  let nowUs = 0;
  const pass = (ms: number, isDue = true): void => {
    for (const endUs = nowUs + ms * 1000; nowUs < endUs; ) inactivity.slot((nowUs += slotUs), isDue);
  };
  return { reports, inactivity, pass, alive: () => inactivity.alive(nowUs) };
}

test('once for every silence, at the timeout', () => {
  const { reports, pass, alive } = watch(1000);
  alive();
  pass(980);
  assert.deepEqual(reports, []);
  pass(3000);
  assert.deepEqual(reports, [1000]);
  alive();
  pass(1000);
  assert.deepEqual(reports, [1000, 1000]);
});

test('never where nothing was agreed or nothing is due', () => {
  const never = watch(undefined);
  never.alive();
  never.pass(10_000);
  assert.deepEqual(never.reports, []);
  const { reports, pass, alive } = watch(100);
  alive();
  pass(10_000, false);
  assert.deepEqual(reports, []);
});

test('a peer that was not to send has its time from when it is', () => {
  const { reports, inactivity, pass, alive } = watch(1000);
  alive();
  pass(900);
  inactivity.beginAnew();
  pass(1000);
  assert.deepEqual(reports, []);
  pass(20);
  assert.deepEqual(reports, [1000]);
});
