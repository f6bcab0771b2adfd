import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { EngineHost, type EngineHostOptions, engineTable } from './engine-host.ts';
import { isRetriable } from './speech-to-text.ts';

throwOnUnlistedTransitions();

testTransitions('speech-engine', engineTable, {
  states: ['starting', 'ready', 'gone'],
  events: ['ready', 'unusable', 'exit'],
  expected: [
    ['starting', 'ready', 'ready', 'transcripts.md: its models are loaded'],
    ['starting', 'unusable', 'gone', 'transcripts.md: a broken model'],
    ['starting', 'exit', 'gone', 'transcripts.md: the process ended'],
    ['ready', 'exit', 'gone', 'transcripts.md: killed, or out of memory'],
    ['gone', 'ready', 'gone', 'transcripts.md: another process takes its place'],
    ['gone', 'unusable', 'gone', 'transcripts.md: another process takes its place'],
    ['gone', 'exit', 'gone', 'transcripts.md: another process takes its place'],
  ],
});
const folder = mkdtempSync(join(tmpdir(), 'callreel-host-'));
after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();
const pretended = new URL('./test-engine-process.ts', import.meta.url);

function options(behaviour: string, more: Partial<EngineHostOptions> = {}): EngineHostOptions {
  return {
    settings: { detectorFile: behaviour },
    clock: systemClock,
    memoryLimitMb: 1536,
    niceness: 5,
    startTimeoutMs: 120_000,
    requestTimeoutMs: 120_000,
    script: pretended,
    ...more,
  };
}

const recognize = { verb: 'recognize', samples: new Int16Array(16_000) } as const;

describe('An engine process', () => {
  test('does what it is asked, steps back for others, and is the first to go when memory is short', async () => {
    const host = await EngineHost.start(options('fine'));
    assert.equal(await host.call(recognize, signal), `pid ${host.pid}`);
    // Field 19 of proc(5), behind the name in parentheses.
    const stat = readFileSync(`/proc/${host.pid}/stat`, 'utf8').replace(/^.*\) /s, '');
    assert.equal(stat.split(' ')[16], '5');
    assert.match(readFileSync(`/proc/${host.pid}/limits`, 'utf8'), /Max data size +1610612736/);
    await host.close();
    assert.throws(() => process.kill(host.pid, 0), { code: 'ESRCH' });
    await assert.rejects(host.call(recognize, signal), { code: 'DRAINING' });
  });

  test('sees nothing of the settings of the server', async () => {
    process.env.STT_KEY = 'a secret';
    const host = await EngineHost.start(options('fine'));
    delete process.env.STT_KEY;
    assert.doesNotMatch(readFileSync(`/proc/${host.pid}/environ`, 'utf8'), /STT_KEY/);
    await host.close();
  });

  test('that is killed while it works is lost; that may be tried again', async () => {
    const host = await EngineHost.start(options('hang'));
    const work = host.call(recognize, signal);
    process.kill(host.pid, 'SIGKILL');
    await assert.rejects(work, (error) => {
      assert.match(String(error), /the speech engine: it ended with SIGKILL/);
      assert.ok(isRetriable(error));
      return true;
    });
    assert.ok(!host.alive);
    await assert.rejects(host.call(recognize, signal), { code: 'TRANSCRIPTION_ENGINE_LOST' });
  });

  test('that dies by itself is lost', async () => {
    const host = await EngineHost.start(options('die'));
    await assert.rejects(host.call(recognize, signal), { code: 'TRANSCRIPTION_ENGINE_LOST' });
  });

  test('that takes too long is killed', async () => {
    const clock = new FakeClock();
    const host = await EngineHost.start(options('hang', { clock, requestTimeoutMs: 5000 }));
    const work = host.call(recognize, signal);
    clock.advanceMs(5000);
    await assert.rejects(work, {
      code: 'TRANSCRIPTION_ENGINE_LOST',
      message: 'the speech engine did not answer within 5000 ms',
    });
    assert.throws(() => process.kill(host.pid, 0), { code: 'ESRCH' });
    assert.equal(clock.pendingTimers, 0);
  });

  test('that nobody waits for any more is killed: it cannot be interrupted', async () => {
    const host = await EngineHost.start(options('hang'));
    const abort = new AbortController();
    const work = host.call(recognize, abort.signal);
    abort.abort(new Error('the recording was erased'));
    await assert.rejects(work, /erased/);
    await host.close();
    assert.throws(() => process.kill(host.pid, 0), { code: 'ESRCH' });
  });

  test('that is never ready is given up', async () => {
    const clock = new FakeClock();
    const start = EngineHost.start(options('never ready', { clock, startTimeoutMs: 5000 }));
    clock.advanceMs(5000);
    await assert.rejects(start, { code: 'TRANSCRIPTION_ENGINE_LOST', message: /not ready within 5000 ms/ });
  });

  for (const [behaviour, code, message] of [
    ['unusable', 'TRANSCRIPTION_MODEL_BROKEN', /no such model/],
    ['unusable for memory', 'TRANSCRIPTION_ENGINE_LOST', /bad_alloc/],
    ['exit', 'TRANSCRIPTION_MODEL_BROKEN', /ended with status 255: cannot read the tokens/],
  ] as const)
    test(`that cannot start (${behaviour}) says why`, async () => {
      await assert.rejects(EngineHost.start(options(behaviour)), { code, message });
    });

  test('that complains of one piece fails, and works on', async () => {
    const host = await EngineHost.start(options('complain'));
    await assert.rejects(host.call(recognize, signal), {
      code: 'TRANSCRIPTION_MODEL_BROKEN',
      message: /wrong shape/,
    });
    assert.ok(host.alive);
    await host.close();
  });
});

describe('The real engine process', () => {
  const real = { script: new URL('./engine-process.ts', import.meta.url) };

  test('given a model that is none says so, for good', async () => {
    const garbage = join(folder, 'garbage.onnx');
    writeFileSync(garbage, 'this is no model');
    for (const file of [garbage, join(folder, 'not there.onnx'), folder])
      await assert.rejects(EngineHost.start(options(file, real)), (error) => {
        assert.match(String(error), /garbage|ENOENT|callreel-host/);
        assert.ok(!isRetriable(error), String(error));
        return true;
      });
  });

  test('without memory is lost; that may be tried again', async () => {
    const garbage = join(folder, 'starved.onnx');
    writeFileSync(garbage, 'this is no model');
    await assert.rejects(EngineHost.start(options(garbage, { ...real, memoryLimitMb: 100 })), (error) => {
      assert.ok(isRetriable(error), String(error));
      return true;
    });
  });
});
