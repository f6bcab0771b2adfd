/** Something that happened at a moment; Unix microseconds. */
export interface Timed {
  atUnixUs: number;
}

/** One sequence in the order of time, opened when its beginning is reached. */
export interface TimedSource<Item extends Timed> {
  fromUnixUs: number;
  open(): Iterator<Item>;
}

interface Waiting<Item extends Timed> {
  atUnixUs: number;
  iterator: Iterator<Item> | undefined;
  item: Item | undefined;
  source: TimedSource<Item>;
}

/** All sources as one sequence. Holds one item of each source that has begun and not ended. */
export function* mergeByTime<Item extends Timed>(sources: readonly TimedSource<Item>[]): Generator<Item> {
  const waiting: Waiting<Item>[] = [];
  for (const source of sources)
    insert(waiting, { atUnixUs: source.fromUnixUs, iterator: undefined, item: undefined, source });
  let first: Waiting<Item> | undefined;
  try {
    for (first = waiting.shift(); first; first = waiting.shift()) {
      if (first.item) yield first.item;
      first.iterator ??= first.source.open();
      const next = first.iterator.next();
      if (next.done) continue;
      first.item = next.value;
      first.atUnixUs = next.value.atUnixUs;
      insert(waiting, first);
    }
  } finally {
    for (const { iterator } of [first, ...waiting].filter((each) => each !== undefined)) iterator?.return?.();
  }
}

/** Behind those of the same moment. */
function insert<Item extends Timed>(waiting: Waiting<Item>[], entry: Waiting<Item>): void {
  let low = 0;
  let high = waiting.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (waiting[middle]!.atUnixUs <= entry.atUnixUs) low = middle + 1;
    else high = middle;
  }
  waiting.splice(low, 0, entry);
}
