import { readFileSync } from 'node:fs';

/**
 * UDP datagrams that the kernel dropped since its start because a socket's receive buffer was full, of IPv4 and IPv6 and of
 * every socket in this network namespace: one that lost packets there gets no other word of it.
 * @param read for tests
 * @returns undefined where the system does not tell (it is no Linux)
 */
export function udpReceiveBufferErrors(read = readText): number | undefined {
  const ipv4 = numberIn(read('/proc/net/snmp'));
  if (ipv4 === undefined) return undefined;
  const ipv6 = /^Udp6RcvbufErrors\s+(\d+)$/m.exec(read('/proc/net/snmp6'))?.[1];
  return ipv4 + Number(ipv6 ?? 0);
}

/** Of two lines, one with the names and one with the values (proc_pid_net(5)). */
function numberIn(snmp: string): number | undefined {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '));
  const value = Number(values?.[names?.indexOf('RcvbufErrors') ?? -1]);
  return Number.isInteger(value) ? value : undefined;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
