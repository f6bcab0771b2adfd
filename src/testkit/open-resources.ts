import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process holds open, read from /proc: Linux only. */
export interface OpenResources {
  pid: number;
  /** Ports of its UDP sockets, IPv4 and IPv6, ascending. */
  udpPorts: number[];
  /** Ports it listens on. */
  tcpListenPorts: number[];
  /** `address:port > address:port`. */
  tcpConnections: string[];
  /** Paths of open regular files and devices. */
  files: string[];
  /** Pipes, event and timer descriptors, unix sockets: number of each kind. */
  others: Record<string, number>;
  /** Own process only: what keeps the event loop alive, and how many of each (timers, sockets, requests). */
  eventLoop: Record<string, number>;
}

const tcpListenState = '0A';

/** @throws ENOENT when there is no such process */
export function openResources(pid: number = process.pid): OpenResources {
  const resources: OpenResources = {
    pid,
    udpPorts: [],
    tcpListenPorts: [],
    tcpConnections: [],
    files: [],
    others: {},
    eventLoop: pid === process.pid ? countEach(process.getActiveResourcesInfo()) : {},
  };
  const sockets = socketTable(pid);
  for (const target of descriptorTargets(pid)) {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    const socket = inode === undefined ? undefined : sockets.get(inode);
    if (socket) addSocket(resources, socket);
    else if (target.startsWith('/')) resources.files.push(target);
    else addOther(resources, target);
  }
  resources.udpPorts.sort((a, b) => a - b);
  resources.tcpListenPorts.sort((a, b) => a - b);
  resources.tcpConnections.sort();
  resources.files.sort();
  return resources;
}

interface SocketRow {
  protocol: 'udp' | 'tcp';
  local: string;
  localPort: number;
  remote: string;
  state: string;
}

/** Inode to socket, for the network namespace of the process. */
function socketTable(pid: number): Map<string, SocketRow> {
  const table = new Map<string, SocketRow>();
  for (const [file, protocol] of [
    ['udp', 'udp'],
    ['udp6', 'udp'],
    ['tcp', 'tcp'],
    ['tcp6', 'tcp'],
  ] as const) {
    for (const line of readProc(`/proc/${pid}/net/${file}`).split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || state === undefined || inode === undefined) continue;
      const localPort = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
      table.set(inode, { protocol, local, localPort, remote, state });
    }
  }
  return table;
}

function addSocket(resources: OpenResources, socket: SocketRow): void {
  if (socket.protocol === 'udp') resources.udpPorts.push(socket.localPort);
  else if (socket.state === tcpListenState) resources.tcpListenPorts.push(socket.localPort);
  else resources.tcpConnections.push(`${readable(socket.local)} > ${readable(socket.remote)}`);
}

function addOther(resources: OpenResources, target: string): void {
  // `pipe:[123]`, `anon_inode:[eventpoll]`, `socket:[123]`: the number is of no interest, the name is.
  const kind = target.replace(/\[\d+\]$/, '');
  resources.others[kind] = (resources.others[kind] ?? 0) + 1;
}

/** Address and port as /proc writes them: hexadecimal, IPv4 in host byte order. */
function readable(addressAndPort: string): string {
  const [address = '', port = ''] = addressAndPort.split(':');
  const bytes = address.match(/../g) ?? [];
  const host =
    bytes.length === 4
      ? bytes
          .reverse()
          .map((byte) => Number.parseInt(byte, 16))
          .join('.')
      : `[${address}]`;
  return `${host}:${Number.parseInt(port, 16)}`;
}

function descriptorTargets(pid: number): string[] {
  const targets: string[] = [];
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    try {
      targets.push(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      // Closed since the listing: the descriptor of the listing itself always is.
    }
  }
  return targets;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // IPv6 may be switched off.
    return '';
  }
}

function countEach(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
