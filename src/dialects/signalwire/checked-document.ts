import { CallreelError } from '../../errors.ts';
import { loadSwml } from './swml-document.ts';

/**
 * A document as it was given, its text or an object.
 * @param options.mayBeEmpty takes a section without a step, which the vendor's clients send in a `dial`: the call is
 *   over once it is answered
 * @throws CallreelError DOCUMENT_INVALID with the line or the path of the first mistake
 */
export function checkedDocument(given: unknown, where: string, { mayBeEmpty = false } = {}): unknown {
  const { document, problems } = loadSwml(given);
  const isWrong = ({ severity, code }: (typeof problems)[number]) =>
    severity === 'error' && !(mayBeEmpty && code === 'relay_script_section_code_missing');
  const first = problems.find(isWrong);
  if (document || (mayBeEmpty && !first)) return given;
  const { code, message, path, line } = first ?? { code: '', message: 'not a document', path: '', line: 0 };
  const place = [where, path, line > 0 ? `line ${line}` : ''].filter(Boolean).join(' ');
  throw new CallreelError('DOCUMENT_INVALID', `${code}: ${message}`, { where: place });
}
