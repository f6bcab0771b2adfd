import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { DigitCollector } from './digit-collector.ts';

function collect(options: { maxDigits?: number; terminators?: string; digitTimeoutMs?: number } = {}) {
  const clock = new FakeClock();
  let interruptions = 0;
  const collector = new DigitCollector({
    clock,
    maxDigits: 4,
    terminators: '#',
    initialTimeoutMs: 5000,
    digitTimeoutMs: 5000,
    firstDigit: () => interruptions++,
    ...options,
  });
  return { clock, collector, interruptions: () => interruptions };
}

describe('digit collector', () => {
  test('ends with the last wanted digit', async () => {
    const { clock, collector, interruptions } = collect();
    for (const digit of '1234') collector.digit(digit);
    assert.deepEqual(await collector.result, { digits: '1234', ended: 'complete' });
    assert.equal(interruptions(), 1);
    assert.equal(clock.pendingTimers, 0);
  });

  test('a terminator ends it and is not part of it', async () => {
    const { collector } = collect();
    for (const digit of '12#') collector.digit(digit);
    assert.deepEqual(await collector.result, { digits: '12', ended: 'terminator', terminator: '#' });
  });

  test('a terminator first gives nothing', async () => {
    const { collector } = collect();
    collector.digit('#');
    assert.deepEqual(await collector.result, { digits: '', ended: 'terminator', terminator: '#' });
  });

  test('the party is waited for from the end of the prompt on, not before', async () => {
    const { clock, collector } = collect();
    clock.advanceMs(60_000);
    assert.equal(clock.pendingTimers, 0);
    collector.promptEnded();
    clock.advanceMs(4999);
    collector.digit('7');
    clock.advanceMs(4999);
    collector.digit('8');
    clock.advanceMs(5000);
    assert.deepEqual(await collector.result, { digits: '78', ended: 'timeout' });
  });

  test('a prompt that ends after the first digit does not restart the time', async () => {
    const { clock, collector } = collect();
    collector.digit('1');
    clock.advanceMs(3000);
    collector.promptEnded();
    clock.advanceMs(2000);
    assert.deepEqual(await collector.result, { digits: '1', ended: 'timeout' });
  });

  test('the first digit is waited for by a time of its own', async () => {
    const { clock, collector } = collect({ digitTimeoutMs: 1000 });
    collector.promptEnded();
    clock.advanceMs(4999);
    collector.digit('7');
    clock.advanceMs(1000);
    assert.deepEqual(await collector.result, { digits: '7', ended: 'timeout' });
  });

  test('who presses nothing is told from who stops pressing', async () => {
    const { clock, collector } = collect();
    collector.promptEnded();
    clock.advanceMs(5000);
    assert.deepEqual(await collector.result, { digits: '', ended: 'no-input' });
  });

  test('what comes after the end is not counted', async () => {
    const { clock, collector } = collect({ maxDigits: 1 });
    collector.digit('1');
    collector.digit('2');
    collector.cancel();
    assert.deepEqual(await collector.result, { digits: '1', ended: 'complete' });
    assert.equal(clock.pendingTimers, 0);
  });
});
