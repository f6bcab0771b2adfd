import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { consumerSource } from './consumer-source.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const run = promisify(execFile);
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** Builds and packs this project. @returns the path of the tarball in `dir` */
export async function packInto(dir: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--silent', '--pack-destination', dir], {
    cwd: root,
  });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { filename: string }[];
  if (!packed) throw new Error(`npm pack made nothing: ${stdout}`);
  return join(dir, packed.filename);
}

/** An application's own project, that has no types but those of its packages. */
export function writeConsumer(dir: string): void {
  const write = (name: string, content: object) => writeFileSync(join(dir, name), JSON.stringify(content));
  write('package.json', { name: 'application', version: '1.0.0', private: true, type: 'module' });
  write('tsconfig.json', {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022'],
      types: [],
    },
    files: ['application.ts'],
  });
  writeFileSync(join(dir, 'application.ts'), consumerSource);
}

/** Compiles the application against the installed package and runs it. @returns what it printed */
export async function runConsumer(dir: string, node = process.execPath): Promise<Record<string, unknown>> {
  await run(process.execPath, [compiler, '-p', dir]).catch(({ stdout }) => {
    throw new Error(stdout);
  });
  const { stdout } = await run(node, ['application.js'], { cwd: dir });
  return JSON.parse(stdout);
}
