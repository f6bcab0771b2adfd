import assert from 'node:assert/strict';
import {
  isRtcp,
  maxRtcpBytes,
  type ReportBlock,
  readRtcp,
  type SenderInfo,
  writeRtcp,
} from '../../../src/rtp/rtcp.ts';
import type { FuzzTarget } from '../target.ts';

interface Read {
  reports: { ssrc: number; info: SenderInfo }[];
  blocks: { ssrc: number; block: ReportBlock }[];
  byes: number[];
}

/** One datagram of compound RTCP. */
export function createTarget(): FuzzTarget {
  return {
    isText: false,
    maxBytes: 4096,
    dictionary: [200, 201, 202, 203, 204, 205, 206, 207].map((type) => Uint8Array.of(0x81, type, 0, 6)),
    seeds: () => [ours('callreel', true), ours('', false), Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 1)],
    run(input) {
      const read = reading(input);
      if (!isRtcp(input)) assert.equal(read.taken, false);
      const all = [...read.reports, ...read.blocks, ...read.byes];
      assert.ok(all.length <= 16 * 32, 'what one datagram says is bounded');
      assert.ok(4 * read.byes.length + 20 * read.reports.length + 24 * read.blocks.length <= input.length);
      for (const { info } of read.reports) checkNumbers(info);
      for (const { block } of read.blocks) checkBlock(block);
      for (const { ssrc, block } of read.blocks.slice(0, 4)) checkWritten(ssrc, block, read.reports[0]?.info);
    },
  };
}

function reading(bytes: Uint8Array): Read & { taken: boolean } {
  const read: Read = { reports: [], blocks: [], byes: [] };
  const taken = readRtcp(bytes, {
    senderReport: (ssrc, info) => read.reports.push({ ssrc, info }),
    reportBlock: (ssrc, block) => read.blocks.push({ ssrc, block }),
    bye: (ssrc) => read.byes.push(ssrc),
  });
  return { ...read, taken };
}

function checkNumbers(values: object): void {
  for (const value of Object.values(values))
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32, 'a field has 32 bits');
}

function checkBlock(block: ReportBlock): void {
  const { cumulativeLost, ...rest } = block;
  checkNumbers(rest);
  assert.ok(block.fractionLost <= 255 && cumulativeLost >= -(2 ** 23) && cumulativeLost < 2 ** 23);
}

/** What we write of it, we read again. */
function checkWritten(ssrc: number, block: ReportBlock, sender: SenderInfo | undefined): void {
  const out = new Uint8Array(maxRtcpBytes);
  const bytes = writeRtcp(out, { ssrc, sender, block, cname: 'x'.repeat(block.jitter & 0x1ff), bye: true });
  assert.ok(bytes <= maxRtcpBytes && bytes % 4 === 0);
  const again = reading(out.subarray(0, bytes));
  assert.deepEqual(again.blocks, [{ ssrc, block }]);
  assert.deepEqual(again.reports, sender === undefined ? [] : [{ ssrc, info: sender }]);
  assert.deepEqual(again.byes, [ssrc]);
}

function ours(cname: string, bye: boolean): Uint8Array {
  const out = new Uint8Array(maxRtcpBytes);
  const sender = {
    ntpSeconds: 3_900_000_000,
    ntpFraction: 1,
    rtpTime: 160,
    packetCount: 9,
    octetCount: 1440,
  };
  const block = {
    ...{ ssrc: 7, fractionLost: 12, cumulativeLost: -3, highestSequence: 70_000, jitter: 44 },
    ...{ lastSenderReport: 123_456, delaySinceSenderReport: 65_536 },
  };
  return out.slice(0, writeRtcp(out, { ssrc: 1, sender: bye ? sender : undefined, block, cname, bye }));
}
