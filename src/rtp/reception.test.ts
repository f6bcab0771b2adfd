import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reception } from './reception.ts';
import { toRtpTimestamp, toSequenceNumber } from './sequence.ts';

/** The n-th packet of a 20 ms stream at 8 kHz, so many microseconds late. */
function receive(
  reception: Reception,
  n: number,
  { lateUs = 0, ssrc = 1, timed = true, arrivalN = n } = {},
): void {
  const sequenceNumber = toSequenceNumber(65_500 + n);
  const rtpTime = toRtpTimestamp(4_294_967_000 + n * 160);
  reception.receive(ssrc, sequenceNumber, rtpTime, 8000, 1_000_000 + arrivalN * 20_000 + lateUs, 160, timed);
}

/** What is counted, and what the next packets are measured by. */
function figuresOf(reception: Reception) {
  const { packets, bytes, duplicates, reordered, ssrcChanges, expected, lost, jitter, mostJitter } =
    reception;
  const { highestSequence } = reception;
  return {
    packets,
    bytes,
    duplicates,
    reordered,
    ssrcChanges,
    expected,
    lost,
    jitter,
    mostJitter,
    highestSequence,
  };
}

describe('Reception (RFC 3550 appendices A.1, A.3, A.8)', () => {
  it('counts a clean stream over the wraps', () => {
    const reception = new Reception();
    for (let n = 0; n < 1000; n++) receive(reception, n);
    const { packets, bytes, expected, lost, cumulativeLost, jitterTicks, highestSequence } = reception;
    assert.deepEqual(
      { packets, bytes, expected, lost, cumulativeLost, jitterTicks },
      { packets: 1000, bytes: 160_000, expected: 1000, lost: 0, cumulativeLost: 0, jitterTicks: 0 },
    );
    assert.equal(highestSequence, 65_500 + 999, 'with its cycle: 0x00010000 + 963');
    assert.equal(reception.takeFractionLost(), 0);
  });

  it('counts losses, what came late after all, and duplicates', () => {
    const reception = new Reception();
    for (let n = 0; n < 100; n++) if (n % 10 !== 5) receive(reception, n);
    assert.equal(reception.lost, 10);
    assert.equal(reception.takeFractionLost(), Math.floor((10 * 256) / 100));
    receive(reception, 95, { arrivalN: 101 });
    receive(reception, 96, { arrivalN: 102 });
    assert.deepEqual(
      [reception.lost, reception.reordered, reception.duplicates, reception.cumulativeLost],
      [9, 1, 1, 8],
    );
    assert.equal(reception.takeFractionLost(), 0, 'more than expected came since');
  });

  it('smooths jitter as the appendix has it', () => {
    const reception = new Reception();
    let expected = 0;
    for (let n = 0; n < 50; n++) {
      receive(reception, n, { lateUs: n % 2 === 0 ? 0 : 5000 });
      if (n > 0) expected += (40 - expected) / 16;
    }
    assert.equal(reception.jitterTicks, Math.floor(expected));
    assert.ok(Math.abs(reception.jitter - expected / 8000) < 1e-9);
    assert.equal(reception.mostJitter, reception.jitter);
  });

  it('takes no key press, standstill or pause for jitter', () => {
    const reception = new Reception();
    for (let n = 0; n < 10; n++) receive(reception, n);
    for (let n = 10; n < 20; n++)
      reception.receive(
        1,
        toSequenceNumber(65_500 + n),
        toRtpTimestamp(4_294_968_600),
        8000,
        1_000_000 + n * 20_000,
        4,
        false,
      );
    for (let n = 20; n < 30; n++) receive(reception, n);
    for (let n = 30; n < 40; n++) receive(reception, n, { arrivalN: n + 5000 });
    assert.equal(reception.jitterTicks, 0);
    assert.equal(reception.lost, 0);
  });

  it('goes on counting over another SSRC and a new beginning', () => {
    const reception = new Reception();
    for (let n = 0; n < 10; n++) if (n !== 4) receive(reception, n);
    for (let n = 5000; n < 5010; n++) if (n !== 5004) receive(reception, n, { ssrc: 2 });
    for (let n = 20_000; n < 20_010; n++) receive(reception, n, { ssrc: 2 });
    assert.deepEqual([reception.expected, reception.lost, reception.ssrcChanges], [30, 2, 1]);
    assert.equal(reception.ssrc, 2);
  });

  it('takes packets that go on with each other as if one by one, whatever came before', () => {
    let state = 11;
    const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    const single = new Reception();
    const atOnce = new Reception();
    let n = 0;
    for (let round = 0; round < 300; round++) {
      const count = 1 + Math.floor(random() * 64);
      const ssrc = random() < 0.05 ? 2 : 1;
      const clockRateHz = random() < 0.05 ? 16_000 : 8000;
      if (random() < 0.2) n += Math.floor(random() * 5) - 2;
      if (random() < 0.02) n += 4000;
      const first = n;
      const lateUs = Array.from({ length: count }, () => Math.floor(random() * (random() < 0.1 ? 3e6 : 4e4)));
      const series = {
        count,
        sequenceNumber: toSequenceNumber(65_500 + first),
        rtpTime: toRtpTimestamp(4_294_967_000 + first * 160),
        payloadBytes: 160,
        arrivalUs: (index: number) => 1_000_000 + (first + index) * 20_000 + lateUs[index]!,
      };
      for (let i = 0; i < count; i++, n++) {
        const number = toSequenceNumber(series.sequenceNumber + i);
        const rtpTime = toRtpTimestamp(series.rtpTime + i * 160);
        single.receive(ssrc, number, rtpTime, clockRateHz, series.arrivalUs(i), 172, true);
      }
      atOnce.receiveSeries(ssrc, clockRateHz, series, 172);
      assert.deepEqual(figuresOf(atOnce), figuresOf(single), `round ${round}`);
      assert.equal(atOnce.takeFractionLost(), single.takeFractionLost());
    }
  });
});
