import type { Random } from './random.ts';

/** One change to the lines of a text: left out, doubled, exchanged, folded, ended otherwise, taken from `other`. */
export function mutateLines(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const lines = linesOf(input);
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  switch (random.below(8)) {
    case 0:
      lines.splice(at, random.size(4));
      break;
    case 1:
      lines.splice(at, 0, ...new Array<string>(random.pick([1, 1, 2, 40, 300])).fill(line));
      break;
    case 2: {
      const with_ = random.below(lines.length);
      [lines[at], lines[with_]] = [lines[with_] ?? '', line];
      break;
    }
    case 3:
      lines.splice(random.below(lines.length + 1), 0, random.pick(linesOf(other)) ?? '');
      break;
    case 4:
      lines[at] = random.pick(linesOf(other)) ?? '';
      break;
    case 5: {
      const fold = random.below(line.length + 1);
      lines[at] = `${line.slice(0, fold)}\r\n ${line.slice(fold)}`;
      break;
    }
    case 6:
      lines[at] = `${line}${random.pick(['\r', '\n', '\n\n', '\r\n\r\n', '\0', '\r\r'])}`;
      break;
    default:
      lines.splice(at, 0, '');
  }
  return Buffer.from(lines.join(random.oneIn(30) ? '\n' : '\r\n'), 'latin1');
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\r\n');
}
