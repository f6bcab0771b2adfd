import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);

const sounds = '/usr/share/asterisk/sounds';

/** Debian packages of foreign SIP stacks, decoders, HTTP programs, storages, monitors, human voices and compilers, and a file by which each is known to be there. */
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
  prometheus: '/usr/bin/promtool',
  'asterisk-core-sounds-en-wav': `${sounds}/en_US_f_Allison/vm-options.wav`,
  'asterisk-moh-opsound-wav': '/usr/share/asterisk/moh/macroform-cold_day.wav',
  'asterisk-core-sounds-es-wav': `${sounds}/es_MX_f_Allison/vm-options.wav`,
  'asterisk-core-sounds-fr-wav': `${sounds}/fr_CA_f_June/vm-options.wav`,
  'asterisk-core-sounds-it-wav': `${sounds}/it_IT_m_Carlo/vm-options.wav`,
  'asterisk-core-sounds-ru-wav': `${sounds}/ru_RU_f_IvrvoiceRU/vm-options.wav`,
  gcc: '/usr/bin/cc',
  'libc6-dev': '/usr/include/stdio.h',
  clang: '/usr/bin/clang',
  lld: '/usr/bin/wasm-ld',
  'wasi-libc': '/usr/lib/wasm32-wasi/libc.a',
  // For the clang that Debian has as its usual one.
  'libclang-rt-dev-wasm32': '/var/lib/dpkg/info/libclang-rt-dev-wasm32.list',
} as const;

/** Source packages of Debian, and where they are unpacked, as their authors released them. */
const sources = {
  lame: { archive: 'lame_3.100.orig.tar.gz', folder: '/usr/src/lame-3.100' },
} as const;

export type PeerPackage = keyof typeof packages;
export type PeerSource = keyof typeof sources;

const options = {
  timeout: 300_000,
  env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
};

/** Every package and source of the interop tests, at once: so that files which run at the same time do not wait for each other. */
export async function ensureAllPackages(): Promise<void> {
  await ensurePackages(...(Object.keys(packages) as PeerPackage[]));
  for (const name of Object.keys(sources) as PeerSource[]) await ensureSource(name);
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

/**
 * Fetches a source package where it is missing; its signatures are checked by apt-get, whose own lists stay as they are.
 * @returns its folder
 */
export async function ensureSource(name: PeerSource): Promise<string> {
  const { archive, folder } = sources[name];
  if (existsSync(folder)) return folder;
  const temporary = await temporaryFolder('source');
  try {
    const cwd = temporary.path;
    const list = temporary.file('sources.list');
    const origin = '[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian';
    writeFileSync(list, `deb-src ${origin} bookworm main\n`);
    mkdirSync(temporary.file('lists/partial'), { recursive: true });
    const settings = [
      `Dir::Etc::sourcelist=${list}`,
      'Dir::Etc::sourceparts=-',
      `Dir::State::lists=${temporary.file('lists')}`,
      `Dir::Cache=${cwd}`,
      'APT::Sandbox::User=root',
    ].flatMap((setting) => ['-o', setting]);
    await run('apt-get', [...settings, 'update'], options);
    await run('apt-get', [...settings, 'source', '--download-only', '--tar-only', name], { ...options, cwd });
    await run('tar', ['-xf', archive], { ...options, cwd });
    await run('mv', [basename(folder), dirname(folder)], { ...options, cwd });
    return folder;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`cannot fetch the sources of ${name} into ${folder}: ${stderr ?? error}`, {
      cause: error,
    });
  } finally {
    await temporary.remove();
  }
}
