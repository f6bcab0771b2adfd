import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { sleep, systemClock } from '../../src/clock.ts';
import { type Certificate, selfSigned } from './certificate.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type Transport = 'udp' | 'tcp' | 'tls';

export interface KamailioOptions {
  /** Where requests go whose user is not registered, and by what transport; without it, they are answered 404. */
  target?: { address: string; port: number; transport: Transport };
  /** For REGISTER; every user name has this password. */
  password: string;
}

const host = '127.0.0.1';
const startAttempts = 200;
const startIntervalMs = 50;
const endTimeoutMs = 5000;

/**
 * kamailio 5.6 as the proxy in front and as a registrar: records its route, asks for digest authentication on REGISTER,
 * calls registered users where they are and passes everything else on.
 */
export class Kamailio {
  readonly host = host;
  readonly ports: Record<Transport, number>;
  readonly certificate: Certificate;
  /** What it logged. */
  readonly output: string[] = [];
  readonly #stop: () => Promise<void>;

  private constructor(ports: Record<Transport, number>, certificate: Certificate, stop: () => Promise<void>) {
    this.ports = ports;
    this.certificate = certificate;
    this.#stop = stop;
  }

  static async start(options: KamailioOptions): Promise<Kamailio> {
    const folder = await temporaryFolder('kamailio');
    const plain = await freePort(host);
    const ports = { udp: plain, tcp: plain, tls: await freePort(host) };
    const certificate = await selfSigned(folder, 'kamailio');
    await writeFile(folder.file('tls.cfg'), tlsConfiguration(certificate));
    await writeFile(folder.file('kamailio.cfg'), configuration(options, ports, folder.file('tls.cfg')));
    const args = ['-DD', '-E', '-e', '-f', folder.file('kamailio.cfg'), '-Y', folder.path, '-w', folder.path];
    const child = spawn('kamailio', [...args, '-P', folder.file('pid')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    const kamailio = new Kamailio(ports, certificate, async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const timer = systemClock.after(endTimeoutMs, () => child.kill('SIGKILL'));
        await exited;
        timer.cancel();
      }
      await folder.remove();
    });
    child.stdout.on('data', (text) => kamailio.output.push(String(text)));
    child.stderr.on('data', (text) => kamailio.output.push(String(text)));
    for (let attempt = 0; attempt < startAttempts && child.exitCode === null; attempt++) {
      if (await accepts(ports.tls)) return kamailio;
      await sleep(systemClock, startIntervalMs);
    }
    await kamailio.stop();
    throw new Error(`kamailio does not listen:\n${kamailio.output.join('')}`);
  }

  sipUri(user: string, transport: Transport): string {
    const parameters = transport === 'udp' ? '' : `;transport=${transport}`;
    return `sip:${user}@${host}:${this.ports[transport]}${parameters}`;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

function tlsConfiguration({ certFile, keyFile }: Certificate): string {
  const sides = ['server', 'client'].map(
    (side) => `[${side}:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = ${keyFile}
certificate = ${certFile}
`,
  );
  return sides.join('\n');
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, host);
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return connected;
}

function configuration(
  { target, password }: KamailioOptions,
  ports: Record<Transport, number>,
  tlsFile: string,
): string {
  const modules = ['kex', 'corex', 'tm', 'tmx', 'sl', 'rr', 'pv', 'maxfwd', 'usrloc', 'registrar', 'textops'];
  modules.push('siputils', 'xlog', 'sanity', 'auth', 'nathelper', 'tls');
  return `#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
enable_tls=yes
auto_aliases=no
listen=udp:${host}:${ports.udp}
listen=tcp:${host}:${ports.tcp}
listen=tls:${host}:${ports.tls}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("tls", "config", "${tlsFile}")
modparam("rr", "enable_double_rr", 1)
modparam("registrar|nathelper", "received_avp", "$avp(received)")

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check()) { exit; }
  force_rport();
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    xlog("L_WARN", "LOST in-dialog $rm $ru from $si:$sp\\n");
    sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("callreel.test", "${password}", "0")) {
      www_challenge("callreel.test", "0");
      exit;
    }
    fix_nated_register();
    save("location");
    exit;
  }
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if (!lookup("location")) {
    ${
      target
        ? `$du = "sip:${target.address}:${target.port};transport=${target.transport}";`
        : 'sl_send_reply("404", "Not Found"); exit;'
    }
  }
  if (!t_relay()) sl_reply_error();
}
`;
}
