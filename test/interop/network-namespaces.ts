import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One host of a test network. */
export interface NetworkHost {
  /** What a command line begins with to run there. */
  prefix: readonly string[];
  /** On the network it speaks SIP and RTP on. */
  address: string;
  /** By which the test itself reaches it; not routed anywhere else. */
  controlAddress: string;
}

export interface NatNetwork {
  server: NetworkHost;
  /** On the server's network, without a NAT between. */
  outside: NetworkHost;
  /** Behind the NAT; its address means nothing to the server. */
  inside: NetworkHost;
  /** What the server sees of `inside`. */
  natAddress: string;
  /** The test's own address as the hosts see it: for callback applications. */
  testAddress: string;
  remove(): Promise<void>;
}

/**
 * Two networks with a NAT between, as network namespaces; every link has an MTU of 1500.
 *
 *   server 198.51.100.1 --+-- 198.51.100.2 NAT 192.168.77.1 --- inside 192.168.77.10
 *   outside 198.51.100.3 -+
 *
 * The NAT is symmetric: each connection gets a port of its own, and only its peer may answer (RFC 4787).
 * @throws Error when the process may not make namespaces
 */
export async function startNatNetwork(): Promise<NatNetwork> {
  const id = randomBytes(3).toString('hex');
  const name = (host: string): string => `cr${id}${host}`;
  const hosts = ['switch', 'server', 'outside', 'nat', 'inside'];
  const remove = async (): Promise<void> => {
    for (const host of hosts) await ip('netns', 'del', name(host)).catch(() => {});
    await ip('link', 'del', `ctl${id}`).catch(() => {});
  };
  try {
    for (const host of hosts) {
      await ip('netns', 'add', name(host));
      await within(name(host), 'ip', 'link', 'set', 'lo', 'up');
    }
    await addBridge(name('switch'), 'lan');
    await link(name('switch'), 'lan', name('server'), 'eth0', '198.51.100.1/24');
    await link(name('switch'), 'lan', name('nat'), 'eth0', '198.51.100.2/24');
    await link(name('switch'), 'lan', name('outside'), 'eth0', '198.51.100.3/24');
    await addBridge(name('nat'), 'eth1');
    await within(name('nat'), 'ip', 'addr', 'add', '192.168.77.1/24', 'dev', 'eth1');
    await link(name('nat'), 'eth1', name('inside'), 'eth0', '192.168.77.10/24');
    await within(name('inside'), 'ip', 'route', 'add', 'default', 'via', '192.168.77.1');
    await within(name('nat'), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await within(name('nat'), 'nft', 'add', 'table', 'ip', 'nat');
    await within(name('nat'), 'nft', 'add chain ip nat out { type nat hook postrouting priority 100 ; }');
    await within(name('nat'), 'nft', 'add rule ip nat out oifname eth0 masquerade random');
    const control = await addControl(name, id);
    const host = (which: string, address: string): NetworkHost => ({
      prefix: ['ip', 'netns', 'exec', name(which)],
      address,
      controlAddress: control.addresses[which]!,
    });
    return {
      server: host('server', '198.51.100.1'),
      outside: host('outside', '198.51.100.3'),
      inside: host('inside', '192.168.77.10'),
      natAddress: '198.51.100.2',
      testAddress: control.testAddress,
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function addControl(
  name: (host: string) => string,
  id: string,
): Promise<{ testAddress: string; addresses: Record<string, string> }> {
  const subnet = `10.213.${Number.parseInt(id.slice(0, 2), 16)}`;
  await addBridge(name('switch'), 'ctl');
  await veth(name('switch'), 'ctl', `ctl${id}`);
  await ip('addr', 'add', `${subnet}.1/24`, 'dev', `ctl${id}`);
  await ip('link', 'set', `ctl${id}`, 'up');
  const addresses: Record<string, string> = {};
  for (const [index, host] of ['server', 'outside', 'inside'].entries()) {
    addresses[host] = `${subnet}.${index + 2}`;
    await link(name('switch'), 'ctl', name(host), 'ctl0', `${addresses[host]}/24`);
  }
  return { testAddress: `${subnet}.1`, addresses };
}

async function addBridge(namespace: string, bridge: string): Promise<void> {
  await within(namespace, 'ip', 'link', 'add', bridge, 'type', 'bridge');
  await within(namespace, 'ip', 'link', 'set', bridge, 'up');
}

/** A host's interface, plugged into a bridge. */
async function link(
  bridgeNamespace: string,
  bridge: string,
  namespace: string,
  device: string,
  cidr: string,
): Promise<void> {
  const temporary = `t${randomBytes(4).toString('hex')}`;
  await veth(bridgeNamespace, bridge, temporary);
  await ip('link', 'set', temporary, 'netns', namespace, 'name', device);
  await within(namespace, 'ip', 'addr', 'add', cidr, 'dev', device);
  await within(namespace, 'ip', 'link', 'set', device, 'up');
}

/** One end in the bridge, the other by this name in the test's own namespace. */
async function veth(bridgeNamespace: string, bridge: string, device: string): Promise<void> {
  const plug = `p${randomBytes(4).toString('hex')}`;
  await ip('link', 'add', device, 'mtu', '1500', 'type', 'veth', 'peer', 'name', plug, 'mtu', '1500');
  await ip('link', 'set', plug, 'netns', bridgeNamespace);
  await within(bridgeNamespace, 'ip', 'link', 'set', plug, 'master', bridge);
  await within(bridgeNamespace, 'ip', 'link', 'set', plug, 'up');
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}

async function within(namespace: string, program: string, ...args: string[]): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, program, ...args]);
}
