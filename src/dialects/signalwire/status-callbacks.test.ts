import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../clock.ts';
import { silentLogger } from '../../logger.ts';
import { identityOf } from './identity.ts';
import { StatusCallbacks, type StatusPost } from './status-callbacks.ts';

test('what one call is told keeps its order, however long each takes; one that fails holds up nothing', async () => {
  const written: unknown[] = [];
  const identity = identityOf('a', 'local');
  const statuses = new StatusCallbacks({
    clock: new FakeClock({ unixMs: 2000 }),
    log: silentLogger,
    identity,
    post: async ({ body }: StatusPost) => {
      const { params } = body as { params: { state: string } };
      if (params.state === 'slow') await setImmediate();
      if (params.state === 'broken') throw new Error('the database is away');
      written.push(body);
    },
  });
  for (const state of ['slow', 'broken', 'last'])
    statuses.callEvent('http://app.example', 'leg', 'swml:s', 'calling.call.play', { state });
  await statuses.whenIdle();
  assert.deepEqual(
    written.map((body) => (body as { params: { state: string } }).params.state),
    ['slow', 'last'],
  );
  assert.deepEqual(written[0], {
    event_type: 'calling.call.play',
    event_channel: 'swml:s',
    timestamp: 2,
    project_id: 'a',
    space_id: identity.spaceId,
    params: { call_id: 'leg', node_id: identity.nodeId, state: 'slow' },
  });
});
