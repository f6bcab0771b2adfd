import type { FuzzTarget } from './target.ts';

/** For the test of the fuzzer itself: never comes back from its only seed. */
export function createTarget(): FuzzTarget {
  return {
    isText: true,
    maxBytes: 100,
    dictionary: [],
    seeds: () => [Buffer.from('for ever')],
    run() {
      for (;;);
    },
  };
}
