import { type Document, LineCounter, parseDocument } from 'yaml';
import { CallreelError } from '../errors.ts';
import { type JsonPlace, jsonPlaces } from '../json-places.ts';

/** A JSON or YAML text with the way back from a value to its place. */
export interface DocumentFile {
  value: unknown;
  /** `file:line:column` of the deepest part of `path` that is there. */
  placeOf(path: readonly (string | number)[]): string;
}

const maxAliases = 100;

/**
 * JSON is read as the server reads an answer, to the letter; everything else is YAML 1.2. A file that does not say by
 * its name which it is says so by its first character.
 * @throws CallreelError DOCUMENT_INVALID with the place of the first mistake of syntax
 */
export function parseDocumentFile(name: string, text: string): DocumentFile {
  const plain = text.replace(/^\ufeff/, '');
  const isJson = /\.json$/i.test(name) || (!/\.ya?ml$/i.test(name) && /^\s*[{[]/.test(plain));
  return isJson ? parseJsonFile(name, plain) : parseYamlFile(name, plain);
}

function parseJsonFile(name: string, text: string): DocumentFile {
  const place = (offset: number): string => {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    return `${name}:${line}:${offset - before.lastIndexOf('\n')}`;
  };
  const places = jsonPlaces(text);
  if ('mistake' in places)
    throw new CallreelError('DOCUMENT_INVALID', places.mistake, { where: place(places.offset) });
  return {
    value: JSON.parse(text),
    placeOf: (path) => {
      let at: JsonPlace = places.root;
      for (const key of path) at = at.parts.get(key) ?? at;
      return place(at.offset);
    },
  };
}

function parseYamlFile(name: string, text: string): DocumentFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [problem] = document.errors;
  if (problem)
    throw new CallreelError('DOCUMENT_INVALID', problem.message.split('\n')[0] ?? 'not YAML', {
      where: place(problem.pos[0]),
    });
  return {
    value: plain(document, name),
    placeOf: (path) => place(offsetOf(document, path)),
  };
}

function plain(document: Document, where: string): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    throw new CallreelError('DOCUMENT_INVALID', 'the aliases of this YAML repeat too much', { where, cause });
  }
}

function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number] | null } | undefined;
    if (node?.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

/** `routine[0].on_done` as `['routine', 0, 'on_done']`. */
export function parsePath(text: string): (string | number)[] {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([key, index]) =>
    index === undefined ? key : Number(index),
  );
}
