import { CallreelError } from '../errors.ts';

interface Problem {
  severity: 'error' | 'warning';
  code: string | number;
  message: string;
  path: string;
  line: number;
  column: number;
}

/**
 * Each problem of a document in a line of its own, `file:line:column: …`.
 * @throws CallreelError DOCUMENT_INVALID with those lines, where one of them is more than a warning; `where` is the
 *   first of these
 */
export function problemLines(file: string, problems: readonly Problem[]): string[] {
  const placed = problems.map((problem) => ({ ...problem, at: `${file}:${problem.line}:${problem.column}` }));
  const lines = placed.map(({ at, severity, path, message, code }) => {
    const what = path === '' ? message : `${path}: ${message}`;
    return `${at}: ${severity === 'warning' ? 'warning: ' : ''}${what} (${code})`;
  });
  const mistake = placed.find(({ severity }) => severity === 'error');
  if (mistake) throw new CallreelError('DOCUMENT_INVALID', lines.join('\n'), { where: mistake.at });
  return lines;
}
