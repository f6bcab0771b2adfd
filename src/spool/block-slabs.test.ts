import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockSlabs, blockBytes, slabBytes } from './block-slabs.ts';

const slabBlocks = slabBytes / blockBytes;

/** @returns its first block */
function takeRun(slabs: BlockSlabs, blocks: number): number {
  const first = slabs.take(-1);
  for (let last = first, taken = 1; taken < blocks; taken++) last = slabs.take(last);
  return first;
}

test('a run leads from block to block, and no block is in two', () => {
  const slabs = new BlockSlabs();
  const runs = Array.from({ length: 300 }, (_, index) => takeRun(slabs, 1 + (index % 5)));
  const seen = new Set<number>();
  for (const [index, first] of runs.entries()) {
    let blocks = 0;
    for (let block = first; block >= 0; block = slabs.next(block), blocks++) seen.add(block);
    assert.equal(blocks, 1 + (index % 5));
  }
  assert.equal(seen.size, 300 * 3);
});

test('what a backlog took is given back, though there is always something in use', () => {
  const slabs = new BlockSlabs();
  const runs: number[] = [];
  const backlog = 20;
  for (let run = 0; run < backlog * slabBlocks; run++) runs.push(takeRun(slabs, 1));
  assert.equal(slabs.heldBytes, backlog * slabBytes);
  // Those of every slab stay for a while: the oldest go and new ones come, two slabs of them at once.
  const kept = runs.filter((_, at) => at % (backlog / 2) === 0);
  for (const run of runs.filter((_, at) => at % (backlog / 2) !== 0)) slabs.give(run);
  assert.equal(slabs.heldBytes, backlog * slabBytes);
  for (let turn = 0; turn < kept.length; turn++) {
    slabs.give(kept.shift()!);
    kept.push(takeRun(slabs, 1));
  }
  assert.ok(slabs.heldBytes <= 7 * slabBytes, `${slabs.heldBytes}`);
  for (const run of kept) slabs.give(run);
  assert.ok(slabs.heldBytes <= 4 * slabBytes, `${slabs.heldBytes}`);
  const block = slabs.take(-1);
  const bytes = Buffer.alloc(blockBytes, 7);
  slabs.write(block, 0, bytes, 0, blockBytes);
  const out = Buffer.alloc(blockBytes);
  slabs.read(block, 0, blockBytes, out, 0);
  assert.deepEqual(out, bytes);
});
