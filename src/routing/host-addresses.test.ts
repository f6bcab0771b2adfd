import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { HostAddresses } from './host-addresses.ts';

test('a name is asked for once a minute, and its old addresses serve meanwhile', async () => {
  const clock = new FakeClock();
  let answer = ['192.0.2.1'];
  let asked = 0;
  const hosts = new HostAddresses(clock, async () => {
    asked++;
    return answer;
  });
  assert.deepEqual(await Promise.all([hosts.of('a'), hosts.of('a')]), [['192.0.2.1'], ['192.0.2.1']]);
  assert.equal(asked, 1);
  answer = ['192.0.2.2'];
  clock.advanceMs(59_000);
  assert.deepEqual(await hosts.of('a'), ['192.0.2.1']);
  assert.equal(asked, 1);
  clock.advanceMs(2_000);
  assert.deepEqual(await hosts.of('a'), ['192.0.2.1']);
  assert.equal(asked, 2);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await hosts.of('a'), ['192.0.2.2']);
});

test('a name that cannot be resolved has no address, for a while; an address is its own', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const hosts = new HostAddresses(clock, async () => {
    asked++;
    throw new Error('ENOTFOUND');
  });
  assert.deepEqual(await hosts.of('nowhere.invalid'), []);
  assert.deepEqual(await hosts.of('nowhere.invalid'), []);
  assert.equal(asked, 1);
  assert.deepEqual(await hosts.of('2001:db8::1'), ['2001:db8::1']);
});

test('a resolver that does not answer keeps nobody waiting', async () => {
  const clock = new FakeClock();
  const hosts = new HostAddresses(clock, () => new Promise(() => undefined));
  const asking = hosts.of('slow.example.com');
  clock.advanceMs(2_000);
  assert.deepEqual(await asking, []);
});
