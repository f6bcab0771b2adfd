import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bandCount, leastDbov, rowLength, stepsPerDb } from './band-levels.ts';
import { isSteady, LevelStatistics, levelRange } from './level-statistics.ts';

/** Rows in which every band has the level given for it. */
function rowsOf(levels: (number | number[])[]): Uint8Array {
  const rows = new Uint8Array(levels.length * rowLength);
  for (const [row, level] of levels.entries())
    for (let band = 0; band < rowLength; band++)
      rows[row * rowLength + band] =
        stepsPerDb * ((typeof level === 'number' ? level : level[band]!) - leastDbov);
  return rows;
}

function statisticsOf(levels: (number | number[])[]): LevelStatistics {
  const rows = rowsOf(levels);
  const statistics = new LevelStatistics(new Float64Array(LevelStatistics.stateLength));
  statistics.add(rows, levels.length);
  return statistics;
}

function featuresOf(statistics: LevelStatistics): Map<string, number> {
  const features = new Map<string, number>();
  statistics.features((name, value) => features.set(name, value));
  return features;
}

const talk = (speechDbov: number, noiseDbov: number): number[] =>
  Array.from({ length: 400 }, (_, i) => (i % 100 < 60 ? speechDbov : noiseDbov));

test('noise lies under the speech by what it is softer, whatever the volume', () => {
  for (const volume of [-20, -40])
    for (const distance of [8, 22, 40]) {
      const features = featuresOf(statisticsOf(talk(volume, volume - distance)));
      assert.ok(Math.abs(features.get('level 10')! + distance) < 1);
      assert.ok(Math.abs(features.get('level 60')!) < 1);
      assert.ok(Math.abs(features.get('mean level')! - 10 * Math.log10(0.6)) < 1.3);
    }
});

test('a band has its own distances', () => {
  const speech = Array.from({ length: rowLength }, (_, band) => (band === 3 ? -30 : -20));
  const noise = Array.from({ length: rowLength }, (_, band) => (band === bandCount ? -50 : -50 - band));
  const features = featuresOf(statisticsOf(Array.from({ length: 400 }, (_, i) => (i % 2 ? speech : noise))));
  assert.ok(Math.abs(features.get('band 3 level 15')! + 23) < 1);
  assert.ok(Math.abs(features.get('band 3 speech')! + 10) < 1);
  assert.ok(Math.abs(features.get('band 5 noise')! + 5) < 1);
});

test('gaps and mutes are no noise', () => {
  const features = featuresOf(statisticsOf([...talk(-20, -45), ...talk(-20, leastDbov)]));
  assert.ok(Math.abs(features.get('level 5')! + 25) < 1);
});

test('what is even is no speech, nor what nobody can hear', () => {
  const even = Array.from({ length: 400 }, (_, i) => -30 + (i % 4) / 2);
  assert.equal(statisticsOf(even).isSpeech, false);
  assert.equal(statisticsOf(talk(-70, -84)).isSpeech, false);
  assert.equal(statisticsOf(talk(-30, -36)).isSpeech, true);
});

test('a floor is noise where the softest moments are alike; of who hardly pauses only what it is not above is known', () => {
  const rangeOf = (levels: number[]) => levelRange(rowsOf(levels), levels.length)!;
  const pausing = rangeOf(talk(-20, -45));
  assert.deepEqual(pausing, { softDbov: -45, topDbov: -20, floor: { dbov: -45, isNoise: true } });
  const falling = Array.from({ length: 400 }, (_, i) => -20 - (i % 100) / 2);
  const { softDbov, floor } = rangeOf(falling);
  assert.equal(floor.isNoise, false);
  assert.ok(floor.dbov < softDbov && floor.dbov > -70, JSON.stringify(floor));
  assert.equal(isSteady(pausing), false);
  assert.equal(isSteady(rangeOf(talk(-20, -24))), true);
  assert.equal(levelRange(rowsOf(Array.from({ length: 400 }, () => leastDbov)), 400), undefined);
});
