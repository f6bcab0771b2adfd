import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { Endpoint } from './transport.ts';
import { Unreachable } from './unreachable.ts';

const target = (port: number): Endpoint => ({ transport: 'udp', address: '192.0.2.1', port });

test('what did not answer is asked last for a minute, or until it answers', () => {
  const clock = new FakeClock();
  const unreachable = new Unreachable(clock);
  const ports = (endpoints: readonly Endpoint[]) => endpoints.map(({ port }) => port);
  const all = [target(1), target(2), target(3)];
  unreachable.add(target(1));
  unreachable.add(target(2));
  assert.deepEqual(ports(unreachable.sort(all)), [3, 1, 2]);
  assert.ok(!unreachable.has({ ...target(1), transport: 'tcp' }));
  unreachable.remove(target(2));
  assert.deepEqual(ports(unreachable.sort(all)), [2, 3, 1]);
  clock.advanceMs(60_000);
  assert.deepEqual(ports(unreachable.sort(all)), [1, 2, 3]);
});

test('of very many the oldest is forgotten', () => {
  const unreachable = new Unreachable(new FakeClock());
  for (let port = 0; port < 1_001; port++) unreachable.add(target(port));
  assert.deepEqual([unreachable.has(target(0)), unreachable.has(target(1))], [false, true]);
});
