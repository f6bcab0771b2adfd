import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  nextState,
  type TransitionTable,
  throwOnUnlistedTransitions,
  unlistedTransitions,
} from './state-machine.ts';

const table: TransitionTable<'off' | 'on', 'press'> = { off: { press: 'on' }, on: {} };

test('what is not listed is counted, and in strict mode thrown', () => {
  assert.equal(nextState('lamp', table, 'off', 'press'), 'on');
  assert.equal(nextState('lamp', table, 'on', 'press'), undefined);
  assert.equal(unlistedTransitions.get('lamp: press in on'), 1);
  throwOnUnlistedTransitions();
  assert.throws(() => nextState('lamp', table, 'on', 'press'), { code: 'STATE_INVALID', where: 'lamp' });
  assert.equal(unlistedTransitions.get('lamp: press in on'), 1);
});

test('every table of the source is held to rows that a test has written out by hand', () => {
  const folder = new URL('.', import.meta.url).pathname;
  const textOf = (path: string) => readFileSync(`${folder}${path}`, 'utf8');
  const files = globSync('**/*.ts', { cwd: folder });
  const isTest = (path: string) => path.endsWith('.test.ts');
  const tables = files
    .filter((path) => !isTest(path))
    .flatMap((path) => [...textOf(path).matchAll(/const (\w+): TransitionTable</g)].map(([, name]) => name!));
  const tested = files
    .filter(isTest)
    .flatMap((path) => [...textOf(path).matchAll(/^testTransitions(?:<\w+, \w+>)?\('[\w-]+', (\w+), \{$/gm)])
    .map(([, name]) => name!);
  assert.ok(tables.length >= 17, tables.join(', '));
  assert.deepEqual(tested.sort(), tables.sort());
});
