import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockNoise, NoiseOverTime } from './noise-over-time.ts';

const unasked: BlockNoise = {
  own: () => assert.fail('nobody is asked'),
  before: () => assert.fail('nobody is asked'),
};

const floorAt = (dbov: number, isNoise = true) => ({ dbov, isNoise });

/** Blocks of 10 s of such noise, the softest moments of which are as soft; so much lies between them. */
function heard(levels: readonly (number | undefined)[], passedSeconds = 0): NoiseOverTime {
  const noise = new NoiseOverTime();
  const before = () => levels[0];
  for (const [at, level] of levels.entries()) {
    if (at > 0) noise.passOver(passedSeconds);
    noise.add(10, floorAt(level ?? 0), { own: () => level, before });
  }
  return noise;
}

const meanOf = (...levels: number[]) =>
  10 * Math.log10(levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / levels.length);
const assertNear = (said: number, wanted: number) => assert.ok(Math.abs(said - wanted) < 1e-9, `${said}`);

test('of blocks that are alike nobody is asked, and what all together say stands', () => {
  const noise = new NoiseOverTime();
  for (const softDbov of [-60, -58, -62.5, -57, -60]) {
    noise.add(10, floorAt(softDbov), unasked);
    noise.passOver(50);
  }
  assert.equal(noise.levelDbov(-30), -30);
  assert.equal(new NoiseOverTime().levelDbov(-30), -30);
});

test('each block weighs the time it stands for: half of what was passed over before and behind it', () => {
  assertNear(heard([-60, -40, -40]).levelDbov(-60), meanOf(-60, -40, -40));
  // 30 s of the first, 50 s of the second, 30 s of the third.
  assertNear(
    heard([-60, -40, -60], 40).levelDbov(-60),
    meanOf(...[-60, -40, -60, -40, -60, -40, -60, -40, -60, -40, -60]),
  );
  const ends = heard([-60, -40], 40);
  ends.passOver(1e6);
  assertNear(ends.levelDbov(-60), meanOf(-60, -40));
});

test('what is near to what all together say changes nothing, what is far from it alone counts, without a step', () => {
  const noise = heard([-60, -40]);
  const mean = meanOf(-60, -40);
  assert.equal(noise.levelDbov(mean - 5), mean - 5);
  assert.equal(noise.levelDbov(mean + 5), mean + 5);
  assertNear(noise.levelDbov(mean - 9), mean);
  assertNear(noise.levelDbov(mean + 12), mean);
  const said = Array.from({ length: 41 }, (_, tenth) => noise.levelDbov(mean - 5 - tenth / 10));
  for (const [at, level] of said.entries())
    assert.ok(at === 0 || Math.abs(level - said[at - 1]!) < 0.5, `${said}`);
});

test('a block in which nobody speaks is time that passes, and time of which nobody spoke is nobody’s', () => {
  assertNear(heard([-60, undefined, -40]).levelDbov(-60), meanOf(-60, -60, -60, -40, -40, -40));
  const noise = heard([-60]);
  noise.passOver(1000);
  noise.forgetPassed();
  noise.add(10, floorAt(-40), { own: () => -40, before: () => -60 });
  assertNear(noise.levelDbov(-60), meanOf(-60, -40));
});

test('what was no speech before says nothing', () => {
  const noise = new NoiseOverTime();
  noise.add(10, floorAt(-60), unasked);
  noise.add(10, floorAt(-40), { own: () => -40, before: () => undefined });
  assert.equal(noise.levelDbov(-60), -60);
});

test('a copy goes on by itself', () => {
  const noise = heard([-60, -40]);
  const said = noise.levelDbov(-60);
  const copy = noise.copy();
  copy.add(10, floorAt(-20), { own: () => -20, before: () => undefined });
  assert.equal(noise.levelDbov(-60), said);
  assertNear(copy.levelDbov(-60), meanOf(-60, -40, -20));
});

test('of who hardly pauses it is known what the noise is not above, and no more', () => {
  const before = () => -50;
  const noise = new NoiseOverTime();
  noise.add(10, floorAt(-60), unasked);
  noise.add(10, floorAt(-40, false), unasked);
  assert.equal(noise.levelDbov(-60), -60);
  // It is quieter now, and said to be louder than it can be.
  noise.add(20, floorAt(-80, false), { own: () => -30, before });
  assertNear(noise.levelDbov(-20), meanOf(-55, -80));
  // As it is there to be heard at last.
  noise.add(10, floorAt(-85), { own: () => -84, before });
  assertNear(noise.levelDbov(-20), meanOf(-55, -55, -84, -84, -84));
});

test('noise behind who hardly pauses is louder than all that they left room for', () => {
  const noise = new NoiseOverTime();
  noise.add(10, floorAt(-60, false), unasked);
  noise.add(10, floorAt(-65, false), unasked);
  noise.add(20, floorAt(-40), { own: () => -30, before: () => -50 });
  assertNear(noise.levelDbov(-60), meanOf(-65, -35));
});
