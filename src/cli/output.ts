import type { CallreelError } from '../errors.ts';

/** What callers and peers sent is shown, never obeyed: control characters could drive the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to remove
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Rows under their headings, each column as wide as its widest cell. */
export function printTable(headings: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const cells = rows.map((row) => row.map((cell) => printable(cell == null ? '-' : String(cell))));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [headings, ...cells])
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** A URL of a user: its password is for the one it calls, and for no screen. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^/?#]*?):[^/?#]*@/i, '$1:***@');
}

/** Names and values, one a line. */
export function printFields(fields: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  for (const [name, value] of Object.entries(fields))
    print(`${`${name}:`.padEnd(width + 2)}${printable(value == null ? '-' : String(value))}`);
}

/** The catalogue's entry: what is wrong, where, and what to do about it. */
export function describeError({ code, message, where, todo }: CallreelError): string {
  const lines = [`callreel: ${code}: ${message.split('\n').map(printable).join('\n  ')}`];
  if (where !== undefined && !message.includes(where)) lines.push(`  where:      ${printable(where)}`);
  lines.push(`  what to do: ${todo}`);
  return lines.join('\n');
}
