import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { defaultSourceLimits, SourceLimits } from './source-limits.ts';

const limits = { requestsPerSecond: 10, unansweredInvites: 3, connections: 2 };
const source = '198.51.100.1';

function open({ trusted = '' } = {}): { clock: FakeClock; gate: SourceLimits } {
  const clock = new FakeClock();
  return { clock, gate: new SourceLimits(clock, limits, (address) => address === trusted) };
}

function countTaken(times: number, take: () => boolean): number {
  return Array.from({ length: times }, take).filter(Boolean).length;
}

test('a burst of two seconds, then so many a second, for each source by itself', () => {
  const { clock, gate } = open();
  const take = () => gate.excess(source, false) === undefined;
  assert.equal(countTaken(50, take), 20);
  clock.advanceMs(500);
  assert.equal(countTaken(50, take), 5);
  clock.advanceMs(3600_000);
  assert.equal(countTaken(50, take), 20);
  assert.equal(gate.excess('198.51.100.2', false), undefined);
  assert.equal(gate.excess(source, false), 'requests');
});

test('a trusted source may ten times as much', () => {
  const { gate } = open({ trusted: source });
  assert.equal(
    countTaken(500, () => gate.excess(source, false) === undefined),
    200,
  );
});

test('INVITEs without a final answer are counted until they have one', () => {
  const { gate } = open();
  for (let i = 0; i < limits.unansweredInvites; i++) {
    assert.equal(gate.excess(source, true), undefined);
    gate.inviteOpened(source);
  }
  assert.equal(gate.excess(source, true), 'unanswered INVITEs');
  assert.equal(gate.excess(source, false), undefined);
  gate.inviteClosed(source);
  assert.equal(gate.excess(source, true), undefined);
});

test('few of what is too much are told so, and beyond ten messages a request nothing is read', () => {
  const { gate } = open();
  assert.equal(
    countTaken(100, () => gate.mayRefuse(source)),
    20,
  );
  assert.equal(
    countTaken(500, () => gate.takesMessage(source)),
    200,
  );
});

test('connections are counted for each source and over all of them', () => {
  const { gate } = open();
  assert.deepEqual(
    [1, 2, 3].map(() => gate.opened(source)),
    [true, true, false],
  );
  gate.closed(source);
  assert.ok(gate.opened(source));
  let opened = 2;
  for (let i = 0; i < 5000; i++) if (gate.opened(`2001:db8::${i.toString(16)}`)) opened++;
  assert.equal(opened, 4096);
});

test('forged addresses fill no memory and push out nobody who holds something', () => {
  const { gate } = open();
  gate.opened(source);
  gate.opened(source);
  for (let i = 0; i < 20_000; i++) gate.takesMessage(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  assert.equal(gate.size, 10_000);
  assert.equal(gate.opened(source), false);
});

test('by default 1,000 calls at 100 a second of one public address pass, ringing for long and repeating requests', () => {
  const clock = new FakeClock();
  const gate = new SourceLimits(clock, defaultSourceLimits, () => false);
  for (let call = 0; call < 1000; call++) {
    assert.equal(gate.excess(source, true), undefined, `call ${call}`);
    gate.inviteOpened(source);
    for (let message = 0; message < 20; message++) assert.ok(gate.takesMessage(source));
    clock.advanceMs(10);
  }
});
