import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probationPackets, probationUs, SourceProbation } from './source-probation.ts';

const address = '198.51.100.7';

/** Packets 20 ms apart with these numbers. @returns which of them was the first that proved the source; -1: none */
function firstProof(numbers: readonly number[], { periodUs = 20_000, ssrc = 7 } = {}): number {
  const probation = new SourceProbation();
  return numbers.findIndex((number, k) => probation.passes(address, 5000, k * periodUs, ssrc, number));
}

const upFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, k) => (first + k) & 0xffff);

describe('SourceProbation', () => {
  it('believes a stream after a second, wherever its numbers begin', () => {
    for (const first of [0, 1, 32_767, 65_500, 65_535]) assert.equal(firstProof(upFrom(first, 100)), 50);
  });

  it('wants packets enough, however slow they come', () => {
    assert.equal(firstProof(upFrom(0, 100), { periodUs: 300_000 }), probationPackets - 1);
    assert.equal(firstProof(upFrom(0, 100), { periodUs: probationUs }), -1, 'those are no stream');
  });

  it('believes no burst', () => {
    assert.equal(firstProof(upFrom(0, 5000), { periodUs: 100 }), -1);
  });

  it('bears losses and neighbours that changed places', () => {
    const lossy = upFrom(0, 100).filter((number) => number % 7 !== 3 && number % 31 !== 5);
    assert.ok(firstProof(lossy) > 0);
    const swapped = upFrom(0, 100).map((number) => number ^ 1);
    assert.ok(firstProof(swapped) > 0);
  });

  it('believes no random numbers, no other stream and none of another port', () => {
    assert.equal(firstProof(upFrom(0, 500).map((number) => (number * 7919) & 0xffff)), -1);
    const probation = new SourceProbation();
    for (let k = 0; k < 500; k++) {
      assert.equal(probation.passes(address, 5000, k * 20_000, k, k), false);
      assert.equal(probation.passes('198.51.100.8', 5000 + k, k * 20_000, 7, k), false);
    }
  });

  it('believes a source beside strays, and a repeated number counts once', () => {
    const probation = new SourceProbation();
    let proven = -1;
    for (let k = 0; k < 100 && proven < 0; k++) {
      probation.passes('198.51.100.8', 5000, k * 20_000, 8, 1000 + k);
      probation.passes('198.51.100.9', 5000, k * 20_000, 9, k * 50);
      if (probation.passes(address, 5000, k * 20_000, 7, k)) proven = k;
      probation.passes(address, 5000, k * 20_000, 7, k);
    }
    assert.equal(proven, 50);
    assert.equal(firstProof(new Array(200).fill(4)), -1);
  });

  it('begins anew once a better source spoke', () => {
    const probation = new SourceProbation();
    for (let k = 0; k < 200; k++) {
      assert.equal(probation.passes(address, 5000, k * 20_000, 7, k), false);
      if (k % 40 === 0) probation.reset();
    }
  });
});
