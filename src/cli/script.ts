import { parseRoutine } from '../dialects/sift/routine.ts';
import { CallreelError } from '../errors.ts';
import { readDocument } from './app.ts';
import { type Command, parseCommandLine } from './command.ts';
import { parseDocumentFile, parsePath } from './document-lines.ts';
import { print } from './output.ts';
import { checkSvamlFile, isSvaml } from './svaml-file.ts';
import { checkSwmlFile, isSwml } from './swml-file.ts';

export const scriptCommands: Command[] = [
  {
    words: ['script', 'check'],
    summary: 'is a Sift routine, a SWML or a SVAML document right? names the line if not',
    usage: 'FILE',
    details: `  FILE             JSON or YAML: {"routine": [...]} or the list alone, or SWML with "sections";
                   or SVAML with "instructions" and "action" (JSON); needs no server`,
    async run(args) {
      const { positionals } = parseCommandLine(args, {}, ['FILE']);
      const file = positionals[0]!;
      const text = readDocument(file);
      if (isSvaml(text)) {
        for (const line of checkSvamlFile(file, text)) print(line);
        return print(`${file}: a SVAML document, no mistake found`);
      }
      if (!isSwml(text)) return print(`${file}: ${checkRoutine(file, text)} commands, no mistake found`);
      for (const line of checkSwmlFile(file, text)) print(line);
      print(`${file}: a SWML document, no mistake found`);
    },
  },
];

/**
 * @returns how many commands the routine has
 * @throws CallreelError DOCUMENT_INVALID, `where` is `file:line:column`
 */
export function checkRoutine(file: string, text: string): number {
  const { value, placeOf } = parseDocumentFile(file, text);
  const isList = Array.isArray(value);
  try {
    parseRoutine(isList ? { routine: value } : value);
  } catch (error) {
    if (!(error instanceof CallreelError)) throw error;
    const path = error.where === undefined || error.where === 'body' ? [] : parsePath(error.where);
    const at = placeOf(isList && path[0] === 'routine' ? path.slice(1) : path);
    const what = path.length === 0 ? error.message : `${error.where}: ${error.message}`;
    throw new CallreelError(error.code, `${at}: ${what}`, { where: at, cause: error });
  }
  return (isList ? value : (value as { routine: unknown[] }).routine).length;
}
