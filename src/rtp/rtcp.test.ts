import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRtcp, maxRtcpBytes, type ReportBlock, readRtcp, type SenderInfo, writeRtcp } from './rtcp.ts';

/** Everything that is read of a datagram, as text. */
function read(data: Uint8Array): string[] | false {
  const seen: string[] = [];
  const taken = readRtcp(data, {
    senderReport: (ssrc, info) => seen.push(`SR ${ssrc} ${JSON.stringify(info)}`),
    reportBlock: (ssrc, block) => seen.push(`block ${ssrc} ${JSON.stringify(block)}`),
    bye: (ssrc) => seen.push(`BYE ${ssrc}`),
  });
  return taken && seen;
}

function write(report: Parameters<typeof writeRtcp>[1]): Uint8Array {
  const out = new Uint8Array(maxRtcpBytes).fill(0xaa);
  return out.slice(0, writeRtcp(out, report));
}

const sender: SenderInfo = {
  ntpSeconds: 0xe9a1_0203,
  ntpFraction: 0x8000_0001,
  rtpTime: 0xffff_ff00,
  packetCount: 17,
  octetCount: 2720,
};
const block: ReportBlock = {
  ssrc: 0xcafe_babe,
  fractionLost: 25,
  cumulativeLost: -3,
  highestSequence: 0x0001_0005,
  jitter: 33,
  lastSenderReport: 0x0203_8000,
  delaySinceSenderReport: 65_536,
};

describe('RTCP (RFC 3550 section 6)', () => {
  it('writes the bytes of the figures of section 6.4.1, 6.5 and 6.6', () => {
    const bytes = write({ ssrc: 0x0102_0304, sender, block, cname: 'ab', bye: true });
    const expected = [
      '81c8000c 01020304 e9a10203 80000001 ffffff00 00000011 00000aa0',
      'cafebabe 19fffffd 00010005 00000021 02038000 00010000',
      '81ca0003 01020304 01026162 00000000',
      '81cb0001 01020304',
    ].join(' ');
    assert.equal(Buffer.from(bytes).toString('hex'), expected.replaceAll(' ', ''));
  });

  it('reads what it writes', () => {
    for (const bye of [false, true]) {
      const whole = read(write({ ssrc: 9, sender, block, cname: 'somebody', bye }));
      const expected = [`SR 9 ${JSON.stringify(sender)}`, `block 9 ${JSON.stringify(block)}`];
      assert.deepEqual(whole, bye ? [...expected, 'BYE 9'] : expected);
    }
    assert.deepEqual(
      read(write({ ssrc: 9, sender: undefined, block: undefined, cname: '', bye: false })),
      [],
    );
  });

  it('keeps the CNAME chunk on whole words, whatever its length', () => {
    for (let length = 0; length <= 255; length++) {
      const cname = 'x'.repeat(length);
      const bytes = write({ ssrc: 1, sender: undefined, block: undefined, cname, bye: true });
      assert.equal(bytes.length % 4, 0);
      assert.ok(bytes.length <= maxRtcpBytes);
      assert.deepEqual(read(bytes), ['BYE 1']);
    }
  });

  it('is told from RTP by its second byte (RFC 5761 section 4)', () => {
    const header = new Uint8Array(12);
    header[0] = 0x80;
    for (let type = 0; type < 256; type++) {
      header[1] = type;
      assert.equal(isRtcp(header), type >= 192 && type <= 223);
    }
    assert.equal(isRtcp(header.subarray(0, 4)), false);
  });

  it('refuses what does not begin as a report (appendix A.2)', () => {
    const good = write({ ssrc: 1, sender, block, cname: 'a', bye: false });
    for (const [at, value] of [
      [0, 0x41],
      [0, 0xa1],
      [1, 202],
      [1, 203],
    ] as const) {
      const bad = good.slice();
      bad[at] = value;
      assert.equal(read(bad), false);
    }
    for (let length = 0; length < 52; length++) assert.equal(read(good.subarray(0, length)), false);
  });

  it('passes over kinds it does not know, and believes no count beyond the length', () => {
    const unknown = Uint8Array.from([0x9f, 207, 0, 2, ...new Array(8).fill(0xff)]);
    const report = write({ ssrc: 5, sender: undefined, block, cname: 'a', bye: false });
    const leaving = write({ ssrc: 5, sender: undefined, block: undefined, cname: 'a', bye: true });
    assert.deepEqual(read(Buffer.concat([report, unknown, leaving])), [
      `block 5 ${JSON.stringify(block)}`,
      'BYE 5',
    ]);
    const greedy = report.slice();
    greedy[0] = 0x80 | 31;
    assert.equal((read(greedy) as string[]).length, 1);
  });

  it('takes any bytes without a throw', () => {
    let state = 3;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let taken = 0;
    for (let i = 0; i < 50_000; i++) {
      const data = Uint8Array.from({ length: next(120) }, () => next(256));
      if (data.length > 3 && i % 4 > 0) {
        data[0] = 0x80 | next(32);
        data[1] = 200 + next(4);
        data[2] = 0;
        data[3] = next(16);
      }
      if (read(data)) taken++;
    }
    assert.ok(taken > 1000);
  });
});
