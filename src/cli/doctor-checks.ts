import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { locatePackage } from '../database/postgres-binaries.ts';
import type { CallreelError } from '../errors.ts';
import { listenAddresses } from '../listen-addresses.ts';
import { openFileLimit } from '../open-file-limit.ts';
import { readIdentity } from '../sip-certificate.ts';
import { keyBytes, masterKeyPath } from '../spool/keys.ts';

export interface Finding {
  what: string;
  result: 'ok' | 'warning' | 'failure';
  detail: string;
  /** What to do; with everything that is not ok. */
  todo?: string;
}

const oldestNodeMajor = 26;
const wantedOpenFiles = 4096;
/** Below this the embedded PostgreSQL and a busy hour of calls do not fit. */
const leastFreeBytes = 1e9;
const wantedFreeBytes = 10e9;
const permissionBits = 0o077;
const certificateWarningMs = 14 * 24 * 3600_000;

export function checkNode(version = process.versions.node): Finding {
  const what = 'Node';
  if (Number(version.split('.')[0]) >= oldestNodeMajor) return { what, result: 'ok', detail: version };
  const todo = 'Run `npm ci` in the folder of Callreel: it brings the right Node along.';
  return { what, result: 'failure', detail: `${version} is older than ${oldestNodeMajor}`, todo };
}

export function checkPostgres({ database }: Config): Finding {
  const what = 'PostgreSQL';
  if (database.url) return { what, result: 'ok', detail: 'a server of yours (DATABASE_URL)' };
  try {
    return { what, result: 'ok', detail: `embedded, ${locatePackage().version}` };
  } catch (error) {
    const { message, todo } = error as CallreelError;
    return { what, result: 'failure', detail: message, todo };
  }
}

export function checkDataDir({ dataDir }: Config): Finding {
  const what = 'data directory';
  const there = nearestExisting(dataDir);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch {
    const todo = `Give this user the right to write in ${there}, or set \`dataDir\`.`;
    return { what, result: 'failure', detail: `${there} cannot be written`, todo };
  }
  return { what, result: 'ok', detail: there === dataDir ? dataDir : `${dataDir} will be made` };
}

export function checkDisk({ dataDir }: Config): Finding {
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir));
  const freeBytes = bavail * bsize;
  const callHours = Math.floor(freeBytes / 57.6e6);
  const detail = `${(freeBytes / 1e9).toFixed(1)} GB free, about ${callHours} hours of two-party calls`;
  const todo = 'Make room, or set `dataDir` to a larger disk.';
  if (freeBytes < leastFreeBytes) return { what: 'disk', result: 'failure', detail, todo };
  if (freeBytes < wantedFreeBytes) return { what: 'disk', result: 'warning', detail, todo };
  return { what: 'disk', result: 'ok', detail };
}

export function checkMasterKey({ dataDir }: Config): Finding {
  const what = 'master key';
  const file = masterKeyPath(dataDir);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) {
    if (!existsSync(`${dataDir}/spool`)) return { what, result: 'ok', detail: `${file} will be made` };
    const todo = 'Restore the file from its backup: without it no recording made so far can be played.';
    return { what, result: 'failure', detail: `${file} is missing, and there are recordings`, todo };
  }
  if (stat.size !== keyBytes) {
    const todo = 'Restore the file from its backup.';
    return { what, result: 'failure', detail: `${file} is ${stat.size} bytes instead of ${keyBytes}`, todo };
  }
  if ((stat.mode & permissionBits) !== 0) {
    const todo = `chmod 600 ${file}`;
    return { what, result: 'warning', detail: `${file} can be read by other users`, todo };
  }
  return { what, result: 'ok', detail: `${file}; keep a copy of it in another place` };
}

/** SIP over TLS: the operator's certificate, how long it is good for, and whom phones must trust. */
export function checkCertificate({ sip }: Config, unixMs = systemClock.unixMs()): Finding[] {
  if (!listenAddresses(sip).some(({ transport }) => transport === 'tls')) return [];
  const what = 'SIP certificate';
  const { certFile } = sip.tls;
  try {
    const identity = readIdentity(sip.tls);
    if (identity === undefined || certFile === undefined) {
      const todo = 'Set `sip.tls.certFile` and `sip.tls.keyFile`: only peers that are told to take it do.';
      return [{ what, result: 'warning', detail: 'one of our own, that nobody vouches for', todo }];
    }
    const { validTo, validToDate } = new X509Certificate(identity.cert);
    const leftMs = validToDate.getTime() - unixMs;
    const detail = `${certFile}, valid until ${validTo}`;
    const todo = 'Renew it; the running server takes the new files by itself.';
    if (leftMs <= 0) return [{ what, result: 'failure', detail, todo }];
    if (leftMs < certificateWarningMs) return [{ what, result: 'warning', detail, todo }];
    return [{ what, result: 'ok', detail }];
  } catch (error) {
    const { message, todo } = error as CallreelError;
    return [{ what, result: 'failure', detail: message, todo }];
  }
}

/** Ports that our own server holds are as they should be. */
export async function checkPorts(config: Config, isRunning: boolean): Promise<Finding[]> {
  if (isRunning) return [{ what: 'ports', result: 'ok', detail: 'in use by the server that runs here' }];
  const { sip, http, rtp } = config;
  const wanted: [what: string, kind: 'udp' | 'tcp', host: string, port: number, setting: string][] = [
    ...listenAddresses(sip).map(({ transport, host, port }): (typeof wanted)[0] => [
      `SIP port ${port}/${transport}`,
      transport === 'udp' ? 'udp' : 'tcp',
      host,
      port,
      transport === 'tls' ? 'sip.tlsPort' : 'sip.port',
    ]),
    [`HTTP port ${http.port}`, 'tcp', http.host, http.port, 'http.port'],
    [`RTP port ${rtp.ports.first}`, 'udp', rtp.host, rtp.ports.first, 'rtp.ports'],
  ];
  const findings: Finding[] = [];
  for (const [what, kind, host, port, setting] of wanted) {
    const problem = await bindProblem(kind, host, port);
    const free = port === 0 ? `any free one on ${host}` : `free on ${host}`;
    if (problem === undefined) findings.push({ what, result: 'ok', detail: free });
    else {
      const todo = `Stop the other program, or set \`${setting}\` or its host to something else.`;
      findings.push({ what, result: 'failure', detail: `cannot be opened on ${host}: ${problem}`, todo });
    }
  }
  return findings;
}

async function bindProblem(kind: 'udp' | 'tcp', host: string, port: number): Promise<string | undefined> {
  const socket = kind === 'udp' ? createSocket(host.includes(':') ? 'udp6' : 'udp4') : createServer();
  try {
    const listening = once(socket, 'listening');
    if ('bind' in socket) socket.bind(port, host);
    else socket.listen(port, host);
    await listening;
    socket.close();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

export function checkOpenFiles(limitsFile?: string): Finding {
  const what = 'open files (ulimit -n)';
  const limit = openFileLimit(limitsFile);
  if (limit === undefined) return { what, result: 'ok', detail: 'not limited in a way we know' };
  const detail = Number.isFinite(limit) ? `${limit}` : 'unlimited';
  if (limit >= wantedOpenFiles) return { what, result: 'ok', detail };
  const todo = `Run \`ulimit -n ${wantedOpenFiles}\` before the start, or set LimitNOFILE in the service file.`;
  return { what, result: 'warning', detail: `${detail}: too few for many calls at once`, todo };
}

/** A clock that is off makes links expire early and receivers refuse our signatures. */
export function checkClock(): Finding {
  const what = 'time';
  const synchronised = clockSynchronised();
  if (synchronised === true) return { what, result: 'ok', detail: 'synchronised' };
  const todo = 'Run chrony or systemd-timesyncd: signatures and links are only good while the clocks agree.';
  const detail = synchronised === false ? 'not synchronised' : 'nobody here knows whether it is synchronised';
  return { what, result: 'warning', detail, todo };
}

function clockSynchronised(): boolean | undefined {
  if (existsSync('/run/systemd/timesync/synchronized')) return true;
  for (const [program, args, yes] of [
    ['timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], /^yes/],
    ['chronyc', ['tracking'], /Leap status\s*: Normal/],
  ] as const)
    try {
      const said = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return yes.test(said);
    } catch {
      // Not installed, or it has no service to ask: the next one.
    }
  return undefined;
}

function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}
