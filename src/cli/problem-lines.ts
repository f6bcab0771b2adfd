import { CallreelError } from '../errors.ts';

interface Problem {
  severity: 'error' | 'warning';
  code: string | number;
  message: string;
  /** What to do about it. */
  todo?: string;
  path: string;
  line: number;
  column: number;
}

/**
 * Each problem of a document in a line of its own, `file:line:column: …`, with what to do about a mistake.
 * @throws CallreelError DOCUMENT_INVALID with those lines, where one of them is more than a warning; `where` is the
 *   first of these
 */
export function problemLines(file: string, problems: readonly Problem[]): string[] {
  const placed = problems.map((problem) => ({ ...problem, at: `${file}:${problem.line}:${problem.column}` }));
  const lines = placed.map(({ at, severity, path, message, todo, code }) => {
    const what = path === '' ? message : `${path}: ${message}`;
    const hint = todo === undefined || severity === 'warning' ? '' : `. ${todo}`;
    return `${at}: ${severity === 'warning' ? 'warning: ' : ''}${what}${hint} (${code})`;
  });
  const mistake = placed.find(({ severity }) => severity === 'error');
  if (mistake) throw new CallreelError('DOCUMENT_INVALID', lines.join('\n'), { where: mistake.at });
  return lines;
}
