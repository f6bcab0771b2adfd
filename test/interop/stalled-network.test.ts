import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensurePackages } from './debian.ts';
import type { Sending, Sent } from './sending-process.ts';

const run = promisify(execFile);
const host = `cr${randomBytes(3).toString('hex')}`;
const address = '198.51.100.1';
/** One that has an address on the link, and takes what comes. */
const neighbour = '198.51.100.2';
const drivers = ['dgram', 'io_uring', 'sendmsg'] as const;

const ip = (...args: string[]) => run('ip', ['-n', host, ...args]);
const tc = (...args: string[]) => run('tc', ['-n', host, ...args]);

before(async () => {
  await ensurePackages('iproute2');
  await run('ip', ['netns', 'add', host]);
  await ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  await ip('addr', 'add', `${address}/24`, 'dev', 'eth0');
  for (const device of ['eth0', 'eth1']) await ip('link', 'set', device, 'up');
  await ip('neigh', 'add', neighbour, 'lladdr', '02:00:00:00:00:02', 'dev', 'eth0');
});
after(() => run('ip', ['netns', 'del', host]));

/** Sends from within the host. */
async function send(sending: Omit<Sending, 'address'>): Promise<Sent> {
  const script = fileURLToPath(new URL('sending-process.ts', import.meta.url));
  const order = JSON.stringify({ ...sending, address });
  const command = ['netns', 'exec', host, process.execPath, '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run('ip', [...command, script, order], { timeout: 60_000 });
  return JSON.parse(stdout) as Sent;
}

/** That went over the link. */
async function packetsOnLink(): Promise<number> {
  const { stdout } = await ip('-j', '-s', 'link', 'show', 'dev', 'eth1');
  return JSON.parse(stdout)[0].stats64.rx.packets;
}

test('a neighbour that is gone costs its own stream alone, and is no shortage of the node', async () => {
  const before = await packetsOnLink();
  const sent = await Promise.all(
    drivers.map((driver, at) => {
      // Once the system asked for one in vain it knows that for a while.
      const gone = { to: `198.51.100.${100 + at}`, everyTicks: 1, ports: 1 };
      const others = { to: neighbour, everyTicks: 4, ports: 20 };
      return send({ driver, seconds: 5, streams: [gone, others] });
    }),
  );
  for (const [at, { committed, sendOverflows, unsentShares }] of sent.entries()) {
    const told = `${drivers[at]}: ${JSON.stringify(sent[at])}`;
    assert.ok(sendOverflows > 0, told);
    assert.ok(sendOverflows < committed[0]!, told);
    assert.deepEqual([...new Set(unsentShares)], [0], told);
  }
  const others = sent.reduce((sum, { committed }) => sum + committed[1]!, 0);
  assert.ok((await packetsOnLink()) - before >= others, `${others} were for the neighbour that is there`);
});

test('a device that stands still is a shortage of the node', async () => {
  await tc(
    'qdisc',
    'replace',
    'dev',
    'eth0',
    'root',
    'tbf',
    'rate',
    '8kbit',
    'burst',
    '2kb',
    'limit',
    '100mb',
  );
  const streams = [{ to: neighbour, everyTicks: 1, ports: 20 }];
  const sent = await Promise.all(drivers.map((driver) => send({ driver, seconds: 5, streams })));
  for (const [at, { sendOverflows, unsentShares }] of sent.entries()) {
    const told = `${drivers[at]}: ${JSON.stringify(sent[at])}`;
    assert.ok(sendOverflows > 1000, told);
    assert.ok(unsentShares.at(-2)! > 0.9 && unsentShares.at(-1)! > 0.9, told);
  }
});
