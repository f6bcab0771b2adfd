import { parse } from 'yaml';
import { checkSvaml } from '../dialects/sinch/svaml.ts';
import { problemLines } from './problem-lines.ts';

const maxAliases = 100;

/** Whether a file is a SVAML object, by what stands in it; of one that cannot be read, by its names. */
export function isSvaml(text: string): boolean {
  try {
    const value: unknown = parse(text, { maxAliasCount: maxAliases, logLevel: 'silent' });
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.hasOwn(value, 'instructions') || Object.hasOwn(value, 'action');
  } catch {
    return /^[\s{]*"(?:instructions|action)"\s*:/.test(text);
  }
}

/**
 * Every mistake of a SVAML object, as an answer to any callback, in a line of its own; warnings too.
 * @returns the lines to print
 * @throws CallreelError DOCUMENT_INVALID with those lines, where one of them is more than a warning
 */
export function checkSvamlFile(file: string, text: string): string[] {
  return problemLines(file, checkSvaml(text));
}
