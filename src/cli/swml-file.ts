import { parse } from 'yaml';
import { checkSwml } from '../dialects/signalwire/swml-document.ts';
import { problemLines } from './problem-lines.ts';

const maxAliases = 100;

/** Whether a file is a SWML document, by what stands in it; of one that cannot be read, by how a line begins. */
export function isSwml(text: string): boolean {
  try {
    const value: unknown = parse(text, { maxAliasCount: maxAliases, logLevel: 'silent' });
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'sections');
  } catch {
    return /^[\s{]*["']?sections["']?\s*:/m.test(text);
  }
}

/**
 * Every mistake of a SWML document in a line of its own, `file:line:column: …`, warnings too.
 * @returns the lines to print
 * @throws CallreelError DOCUMENT_INVALID with those lines, where one of them is more than a warning; `where` is the
 *   first of these
 */
export function checkSwmlFile(file: string, text: string): string[] {
  return problemLines(file, checkSwml(text));
}
