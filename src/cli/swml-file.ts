import { parse } from 'yaml';
import { checkSwml } from '../dialects/signalwire/swml-document.ts';
import { CallreelError } from '../errors.ts';

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
  const problems = checkSwml(text);
  const placed = problems.map((problem) => ({ ...problem, at: `${file}:${problem.line}:${problem.column}` }));
  const lines = placed.map(({ at, severity, path, message, code }) => {
    const what = path === '' ? message : `${path}: ${message}`;
    return `${at}: ${severity === 'warning' ? 'warning: ' : ''}${what} (${code})`;
  });
  const mistake = placed.find(({ severity }) => severity === 'error');
  if (mistake) throw new CallreelError('DOCUMENT_INVALID', lines.join('\n'), { where: mistake.at });
  return lines;
}
