import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

const sounds = '/usr/share/asterisk/sounds';

/** Debian packages of foreign SIP stacks, decoders, HTTP programs, storages and human voices, and a file by which each is known to be there. */
const packages = {
  'sip-tester': '/usr/bin/sipp',
  'baresip-core': '/usr/bin/baresip',
  kamailio: '/usr/sbin/kamailio',
  'kamailio-tls-modules': '/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so',
  'linphone-cli': '/usr/bin/linphonec',
  openssl: '/usr/bin/openssl',
  ffmpeg: '/usr/bin/ffmpeg',
  iproute2: '/usr/sbin/ip',
  nftables: '/usr/sbin/nft',
  'python3-flask': '/usr/lib/python3/dist-packages/flask/__init__.py',
  'python3-requests': '/usr/lib/python3/dist-packages/requests/__init__.py',
  'swift-proxy': '/usr/bin/swift-proxy-server',
  'swift-account': '/usr/bin/swift-account-server',
  'swift-container': '/usr/bin/swift-container-server',
  'swift-object': '/usr/bin/swift-object-server',
  memcached: '/usr/bin/memcached',
  'asterisk-core-sounds-en-wav': `${sounds}/en_US_f_Allison/vm-options.wav`,
  'asterisk-moh-opsound-wav': '/usr/share/asterisk/moh/macroform-cold_day.wav',
  'asterisk-core-sounds-es-wav': `${sounds}/es_MX_f_Allison/vm-options.wav`,
  'asterisk-core-sounds-fr-wav': `${sounds}/fr_CA_f_June/vm-options.wav`,
  'asterisk-core-sounds-it-wav': `${sounds}/it_IT_m_Carlo/vm-options.wav`,
  'asterisk-core-sounds-ru-wav': `${sounds}/ru_RU_f_IvrvoiceRU/vm-options.wav`,
} as const;

export type PeerPackage = keyof typeof packages;

const installTimeoutMs = 300_000;

/** Every package of the interop tests, at once: so that files which run at the same time do not wait for each other. */
export async function ensureAllPackages(): Promise<void> {
  await ensurePackages(...(Object.keys(packages) as PeerPackage[]));
}

/**
 * Installs the named packages where they are missing.
 * @throws Error that says what to type, when this is not Debian, not root, or apt-get fails
 */
export async function ensurePackages(...names: PeerPackage[]): Promise<void> {
  const missing = names.filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0)
    throw new Error(`the interop tests need ${missing.join(' and ')}: run as root: ${command}`);
  const options = {
    timeout: installTimeoutMs,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  try {
    await run('apt-get', ['update'], options);
    await run('apt-get', command.split(' ').slice(1), options);
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`cannot install ${missing.join(' and ')} by "${command}": ${stderr ?? error}`, {
      cause: error,
    });
  }
}
