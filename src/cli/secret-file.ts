import { readFileSync } from 'node:fs';
import { CallreelError } from '../errors.ts';

/**
 * What a file holds, without its last line end; `-` is the standard input. Secrets never stand in a command line,
 * which every user of the machine can read.
 * @throws CallreelError FILE_UNUSABLE
 */
export function readSecretFile(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new CallreelError('FILE_UNUSABLE', `${file} cannot be read`, { where: file, cause });
  }
}
