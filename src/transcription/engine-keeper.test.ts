import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import type { EngineHost } from './engine-host.ts';
import { EngineKeeper } from './engine-keeper.ts';
import type { EngineSettings } from './engine-protocol.ts';

const { signal } = new AbortController();
const recognize = { verb: 'recognize', samples: new Int16Array(16_000) } as const;
const work = (host: EngineHost, either: AbortSignal) => host.call(recognize, either);

function keeperWith({ clock = systemClock }: { clock?: FakeClock | typeof systemClock } = {}): EngineKeeper {
  return new EngineKeeper({
    clock,
    memoryLimitMb: 1536,
    niceness: 0,
    startTimeoutMs: 120_000,
    requestTimeoutMs: 120_000,
    idleMs: 60_000,
    script: new URL('./test-engine-process.ts', import.meta.url),
  });
}

function behaving(detectorFile: string): () => Promise<EngineSettings> {
  return async () => ({ detectorFile });
}

describe('The keeper of an engine', () => {
  test('starts one for all, and another where other settings are wanted', async () => {
    const keeper = keeperWith();
    const first = await keeper.use(behaving('fine'), work, signal);
    assert.equal(await keeper.use(behaving('fine'), work, signal), first);
    assert.notEqual(await keeper.use(behaving('also fine'), work, signal), first);
    await keeper.close();
  });

  test('replaces one that died', async () => {
    const keeper = keeperWith();
    await assert.rejects(keeper.use(behaving('die'), work, signal), { code: 'TRANSCRIPTION_ENGINE_LOST' });
    assert.match(await keeper.use(behaving('fine'), work, signal), /^pid/);
    process.kill(keeper.pid, 'SIGKILL');
    await assert.rejects(keeper.use(behaving('fine'), work, signal), { code: 'TRANSCRIPTION_ENGINE_LOST' });
    assert.match(await keeper.use(behaving('fine'), work, signal), /^pid/);
    await keeper.close();
  });

  test('lets its users have it one after the other, whatever becomes of them', async () => {
    const keeper = keeperWith();
    const order: string[] = [];
    const use = (name: string, action: () => Promise<void>) =>
      keeper.use(
        behaving('fine'),
        async () => {
          order.push(`${name} begins`);
          await action();
          order.push(`${name} ends`);
        },
        signal,
      );
    const abort = new AbortController();
    const first = use('first', async () => abort.abort(new Error('no more')));
    const unwanted = keeper.use(behaving('fine'), work, abort.signal);
    const failing = use('failing', async () => assert.fail('on purpose'));
    const last = use('last', async () => undefined);
    await assert.rejects(unwanted, /no more/);
    await assert.rejects(failing, /on purpose/);
    await Promise.all([first, last]);
    assert.deepEqual(order, ['first begins', 'first ends', 'failing begins', 'last begins', 'last ends']);
    await keeper.close();
  });

  test('gives the memory of an idle one back', async () => {
    const clock = new FakeClock();
    const keeper = keeperWith({ clock });
    await keeper.use(behaving('fine'), work, signal);
    const { pid } = keeper;
    clock.advanceMs(59_999);
    assert.equal(keeper.pid, pid);
    clock.advanceMs(1);
    assert.equal(keeper.pid, 0);
    assert.notEqual(await keeper.use(behaving('fine'), work, signal), `pid ${pid}`);
    await keeper.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test('does not end one that is used when another gave up waiting for it', async () => {
    const clock = new FakeClock();
    const keeper = keeperWith({ clock });
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
    const running = keeper.use(
      behaving('fine'),
      async (host, either) => {
        begin();
        await mayGoOn;
        return work(host, either);
      },
      signal,
    );
    await hasBegun;
    const abort = new AbortController();
    const waiting = keeper.use(behaving('fine'), work, abort.signal);
    abort.abort(new Error('no more'));
    await assert.rejects(waiting, /no more/);
    clock.advanceMs(60_000);
    goOn();
    assert.match(await running, /^pid/);
    await keeper.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test('that is closed waits for none that does not start', async () => {
    const keeper = keeperWith();
    const { promise: isPrepared, resolve: prepared } = Promise.withResolvers<void>();
    const starting = keeper.use(
      async () => {
        setImmediate(prepared);
        return { detectorFile: 'never ready' };
      },
      work,
      signal,
    );
    const end = assert.rejects(starting, { code: 'DRAINING' });
    await isPrepared;
    await keeper.close();
    await end;
  });

  test('that is closed ends what runs and what waits', async () => {
    const keeper = keeperWith();
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
    const running = keeper.use(
      behaving('hang'),
      (host, either) => {
        begin();
        return work(host, either);
      },
      signal,
    );
    const waiting = keeper.use(behaving('fine'), work, signal);
    const ends = Promise.all([
      assert.rejects(running, { code: 'DRAINING' }),
      assert.rejects(waiting, { code: 'DRAINING' }),
    ]);
    await hasBegun;
    await keeper.close();
    await ends;
    assert.equal(keeper.pid, 0);
    await assert.rejects(keeper.use(behaving('fine'), work, signal), { code: 'DRAINING' });
  });
});
