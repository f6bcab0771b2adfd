import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `npm pack` ships: JavaScript in `dist`, one file for each source, for Node strips no types in node_modules. */
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
for (const file of globSync(join(dist, '**/*.js'))) renameThreads(file);

/** The compiler renames what is imported, not what threads and processes are started by: `new URL('./x.ts', …)`. */
function renameThreads(file: string): void {
  const source = readFileSync(file, 'utf8');
  const renamed = source.replace(
    /(new URL\('\.[^']*)\.ts(', import\.meta\.url\))/g,
    (_, before: string, after: string) => `${before}.js${after}`,
  );
  for (const [, target = ''] of renamed.matchAll(/new URL\('(\.[^']*)', import\.meta\.url\)/g))
    if (!existsSync(join(dirname(file), target)))
      throw new Error(`${file} wants ${target}, which is not there`);
  if (renamed !== source) writeFileSync(file, renamed);
}
