import { CallreelError } from '../../errors.ts';
import { loadSwml } from './swml-document.ts';

/**
 * The document of an application as it is kept: as it was given, its text or an object.
 * @throws CallreelError DOCUMENT_INVALID with the line or the path of the first mistake
 */
export function checkedDocument(given: unknown, where: string): unknown {
  const { document, problems } = loadSwml(given);
  if (document) return given;
  const first = problems.find(({ severity }) => severity === 'error') ?? problems[0];
  const { code, message, path, line } = first ?? { code: '', message: 'not a document', path: '', line: 0 };
  const place = [where, path, line > 0 ? `line ${line}` : ''].filter(Boolean).join(' ');
  throw new CallreelError('DOCUMENT_INVALID', `${code}: ${message}`, { where: place });
}
