import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runCampaign } from './campaign.ts';
import { Coverage } from './coverage.ts';
import { Engine } from './engine.ts';
import type { FuzzTarget } from './target.ts';

setFlagsFromString('--expose-gc');

async function fuzz(run: FuzzTarget['run'], inputs: number): Promise<Engine> {
  const target: FuzzTarget = { isText: false, maxBytes: 64, dictionary: ['key'], seeds: () => [], run };
  const engine = new Engine(target, new Coverage([]), { seed: 1, steersByCost: false, begins: () => {} });
  await engine.seed(Buffer.from('an input to begin with'));
  await engine.settle(true);
  for (let i = 0; i < inputs; i++) await engine.step();
  await engine.settle(false);
  return engine;
}

test('a fault is found once, with as little input as it takes', async () => {
  const engine = await fuzz((input) => {
    if (Buffer.from(input).includes('key')) throw new TypeError('broken');
  }, 500);
  assert.equal(engine.findings.length, 1);
  const [{ kind, message, input }] = engine.findings as [(typeof engine.findings)[0]];
  assert.equal(kind, 'exception');
  assert.match(message, /^TypeError: broken \(test\/fuzz\/engine\.test\.ts:\d+/);
  assert.equal(Buffer.from(input).toString(), 'key');
});

test('a fault of a target that takes its time is found as well', async () => {
  const engine = await fuzz(async (input) => {
    await Promise.resolve();
    assert.ok(input.length < 40, 'too long');
  }, 300);
  assert.deepEqual(
    engine.findings.map(({ message }) => message.split(' (')[0]),
    ['AssertionError: too long'],
  );
});

test('an input that costs too much is found', async () => {
  const engine = await fuzz((input) => {
    const before = process.threadCpuUsage();
    while (input.length > 50 && process.threadCpuUsage(before).user < 250_000);
  }, 20);
  assert.ok(engine.findings.length > 0 && engine.findings.every(({ kind }) => kind === 'slow'));
});

test('what piles up is found', async () => {
  const pile: Uint8Array[] = [];
  const engine = await fuzz(() => void pile.push(new Uint8Array(1 << 20)), 30);
  assert.deepEqual(
    engine.findings.map(({ kind }) => kind),
    ['growth'],
  );
});

test('an input that never ends is found, and given back', async () => {
  const { findings } = await runCampaign({
    target: 'endless',
    module: new URL('./endless-target.ts', import.meta.url).href,
    seed: 1,
    executions: 10,
    hangSeconds: 5,
  });
  assert.deepEqual(
    findings.map(({ kind, input }) => [kind, Buffer.from(input).toString()]),
    [['hang', 'for ever']],
  );
});
