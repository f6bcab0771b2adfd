import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomOf } from './test-random.ts';
import { type AccountPacket, delayMs, RtpAccount, type Span } from './test-rtp-account.ts';
import { TrackPlacer } from './track-placer.ts';

/** What the timeline makes of a sender's packets against the sender's own account, to the sample. */

const nastySequences = [0, 1, 127, 128, 32767, 32768, 65535];
const nastyTimes = [0, 1, 127, 128, 32767, 32768, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

interface Placed {
  spans: Span[];
  placer: TrackPlacer<AccountPacket>;
}

function placed(account: RtpAccount, rateHz: number): Placed {
  const spans: Span[] = [];
  const placer = new TrackPlacer<AccountPacket>({ rateHz, startSample: 0 }, ({ id }, placement) =>
    spans.push({ id, atSample: placement.atSample, samples: placement.durationSamples }),
  );
  for (const packet of account.arrivals()) {
    placer.format(packet);
    placer.offer({ ...packet });
  }
  placer.finish();
  return { spans: spans.sort((one, other) => one.id - other.id), placer };
}

function assertAccount(account: RtpAccount, rateHz: number, name: string): Placed {
  const result = placed(account, rateHz);
  const places = new Map(account.packets.map(({ id, place }) => [id, place]));
  const isCertain = ({ id }: Span): boolean => places.get(id) === 'certain';
  const wanted = account.spans(rateHz);
  assert.deepEqual(result.spans.filter(isCertain), wanted.filter(isCertain), name);
  const last = wanted.at(-1)!;
  assert.equal(result.placer.timeline.endSample, last.atSample + last.samples, `${name}: length`);
  for (const span of result.spans.filter((each) => places.get(each.id) === 'optional'))
    assert.deepEqual(
      span,
      wanted.find(({ id }) => id === span.id),
      name,
    );
  const inOrder = result.spans.toSorted((one, other) => one.atSample - other.atSample);
  for (const [i, { atSample, samples }] of inOrder.entries())
    assert.ok(
      atSample + samples <= (inOrder[i + 1]?.atSample ?? Number.POSITIVE_INFINITY),
      `${name}: overlap`,
    );
  return result;
}

type Story = (account: RtpAccount) => RtpAccount;

/** A number and a time for a stream that begins anew: as nasty as those it began with, and others. */
const anew = ({ packets }: RtpAccount): [number, number] => [
  (packets[0]!.sequenceNumber * 3 + 32_767) & 0xffff,
  (packets[0]!.rtpTime + 2 ** 31) % 2 ** 32,
];

const stories: Record<string, Story> = {
  'an undisturbed stream': (account) => account.say(200),
  '5% loss': (account) => account.say(500, { loss: 0.05 }),
  'reordering by up to 100 ms': (account) => account.say(300, { jitterMs: 100 }),
  duplicates: (account) => account.say(300, { duplicates: 0.2 }),
  'loss, reordering and duplicates at once': (account) =>
    account.say(500, { loss: 0.05, jitterMs: 80, duplicates: 0.1 }),
  DTX: (account) => account.say(60).rest(37).say(60).rest(1).say(60).rest(900).say(60),
  'a pause of 244 s with frozen RTP time (T3)': (account) => account.say(60).freeze(244_000).say(60),
  'a pause of 244 s in which RTP time goes on': (account) => account.say(60).rest(12_200).say(60),
  'a late packet after a hold in which RTP time went on (T4)': (account) =>
    account.say(60).holdUp(2, 4000).rest(200).say(60),
  'a late packet after a hold with frozen RTP time (T4)': (account) =>
    account.say(60).holdUp(2, 4000).freeze(6000).say(60),
  'the last packet before a hold comes in it': (account) =>
    account.say(60).holdUp(0, 4000).freeze(6000).say(60),
  'the last packet before a hold comes behind it': (account) =>
    account.say(60).holdUp(0, 6100).rest(300).say(60),
  'a change of SSRC': (account) =>
    account
      .say(60)
      .changeSsrc(...anew(account))
      .say(60),
  'a change of SSRC behind a hold': (account) =>
    account
      .say(60)
      .freeze(3000)
      .changeSsrc(...anew(account))
      .say(60),
  'a change of codec and back': (account) =>
    account.say(60).changeCodec('PCMA', 8000).say(60).changeCodec('G722', 8000).say(60),
  'a change of codec with its clock rate and its SSRC': (account) =>
    account
      .say(60)
      .changeSsrc(...anew(account))
      .changeCodec('OPUS', 48_000)
      .say(60)
      .changeSsrc(...anew(account))
      .changeCodec('PCMU', 8000)
      .say(60),
  'a change of clock rate in one SSRC': (account) => account.say(60).changeCodec('OPUS', 48_000).say(60),
};

describe('sample counts equal the account of the sender', () => {
  for (const [name, story] of Object.entries(stories))
    test(name, () => {
      for (const sequence of nastySequences)
        for (const rtpTime of nastyTimes)
          for (const rateHz of [8000, 16_000]) {
            const account = story(new RtpAccount({ sequence, rtpTime, seed: sequence + 1 }));
            assertAccount(account, rateHz, `${name}, from ${sequence} and ${rtpTime} at ${rateHz} Hz`);
          }
    });
});

test('the wrap of numbers and times may fall on any packet of a story', () => {
  for (let before = 0; before < 130; before++) {
    const account = new RtpAccount({ sequence: 65_536 - before, rtpTime: 2 ** 32 - 160 * before });
    account.say(60, { loss: 0.2 }).rest(30).say(40).freeze(5000).say(40);
    assertAccount(account, 8000, `${before} packets before the wrap`);
  }
});

test('what the counters and marks say is the account, too', () => {
  const account = new RtpAccount({ sequence: 65_500, rtpTime: 2 ** 32 - 9 });
  account.say(1000, { loss: 0.05, duplicates: 0.1 }).rest(50).say(60).freeze(244_000).say(60);
  const { placer } = assertAccount(account, 8000, 'counters');
  const ids = account.packets.map(({ id }) => id);
  const { counters, marks } = placer.timeline;
  const lost = Math.max(...ids) - new Set(ids).size;
  assert.equal(counters.lostPackets, lost);
  assert.equal(counters.gapSamples, lost * 160);
  assert.equal(counters.duplicates, ids.length - new Set(ids).size);
  const gaps = marks.flatMap((mark) => (mark.kind === 'gap' ? [mark] : []));
  const samples = (cause: string): number =>
    gaps.filter((gap) => gap.cause === cause).reduce((sum, gap) => sum + gap.samples, 0);
  assert.equal(samples('loss'), lost * 160);
  assert.equal(samples('pause'), 50 * 160);
  const jumps = marks.flatMap((mark) => (mark.kind === 'jump' ? [mark] : []));
  const resumedSample = (account.spokenMs - 60 * 20 + delayMs) * 8;
  assert.deepEqual(jumps, [{ kind: 'jump', atSample: resumedSample, samples: 244_000 * 8 }]);
});

/** Anything an honest sender and a bad network can do, in any order. */
function randomStory(seed: number): RtpAccount {
  const random = randomOf(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const account = new RtpAccount({ sequence: pick(nastySequences), rtpTime: pick(nastyTimes), seed });
  const disturb = () => ({
    loss: pick([0, 0.05, 0.3]),
    jitterMs: pick([0, 30, 90]),
    duplicates: pick([0, 0.1]),
  });
  const steps: ((account: RtpAccount) => unknown)[] = [
    (it) => it.rest(1 + Math.floor(random() * 700)),
    (it) => it.freeze(20 * Math.ceil(100 + random() * 15_000)),
    (it) => it.changeSsrc(pick(nastySequences), pick(nastyTimes)),
    (it) => it.changeCodec(pick(['PCMU', 'PCMA', 'G722'] as const), 8000),
    (it) => it.changeSsrc(pick(nastySequences), pick(nastyTimes)).changeCodec('OPUS', 48_000),
  ];
  account.say(100 + Math.floor(random() * 100), disturb());
  for (let step = 0; step < 8; step++) {
    pick(steps)(account);
    account.say(60 + Math.floor(random() * 150), disturb());
  }
  return account;
}

test('random histories: every packet that came lies where it was spoken, and nothing else is there', () => {
  for (let seed = 1; seed <= 120; seed++)
    assertAccount(randomStory(seed), seed % 2 ? 8000 : 48_000, `seed ${seed}`);
});
