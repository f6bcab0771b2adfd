import { CallreelError } from '../../errors.ts';
import { loadSvaml, type SvamlOptions } from './svaml.ts';

/**
 * A document of an application, its text or an object, as it was given: what it answers to ICE.
 * @throws CallreelError DOCUMENT_INVALID with the line or the path of the first mistake
 */
export function checkedSvaml(given: unknown, where: string, rules: SvamlOptions = {}): unknown {
  const { svaml, problems } = loadSvaml(given, { use: 'ice', ...rules });
  if (svaml) return given;
  const first = problems.find(({ severity }) => severity === 'error');
  const { code, message, path, line } = first ?? { code: 40003, message: 'no SVAML', path: '', line: 0 };
  const place = [where, path, line > 0 ? `line ${line}` : ''].filter(Boolean).join(' ');
  throw new CallreelError('DOCUMENT_INVALID', `${code}: ${message}`, { where: place });
}
