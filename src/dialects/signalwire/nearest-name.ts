const maxEdits = 2;
const maxCharacters = 40;

/**
 * What somebody may have meant who wrote `name`: the name with the fewest letters changed, left out, added or swapped
 * with the next, two at most and less than half of them.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > maxCharacters) return undefined;
  let nearest: string | undefined;
  let fewest = Math.min(maxEdits + 1, Math.ceil(name.length / 2));
  for (const each of names) {
    if (Math.abs(each.length - name.length) > maxEdits) continue;
    const edits = editsBetween(name.toLowerCase(), each.toLowerCase());
    if (edits >= fewest) continue;
    [nearest, fewest] = [each, edits];
  }
  return nearest;
}

/** Damerau-Levenshtein distance, optimal string alignment. */
function editsBetween(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      let edits = Math.min(row[j - 1]! + 1, rows[i - 1]![j]! + 1, rows[i - 1]![j - 1]! + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (isSwapped) edits = Math.min(edits, rows[i - 2]![j - 2]! + 1);
      row.push(edits);
    }
    rows.push(row);
  }
  return rows.at(-1)!.at(-1)!;
}
