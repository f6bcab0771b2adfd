import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonObject } from './json.ts';
import { maxVariables, maxVariablesCharacters, Variables } from './variables.ts';

const newVariables = () => new Variables({ call: () => jsonObject(), envs: jsonObject() });
const half = 'x'.repeat(maxVariablesCharacters / 2);

describe('Variables', () => {
  it('give back the room of what is unset, or set anew', () => {
    const variables = newVariables();
    for (let k = 0; k < 5; k++) {
      variables.set('a', half);
      variables.set('a', half);
      variables.set('b', { c: half.slice(1000) });
      variables.unset('b.c');
      variables.unset('a');
    }
    assert.deepEqual(Object.keys(variables.vars), ['b']);
  });

  it('are too large together, and then as they were', () => {
    const variables = newVariables();
    variables.set('a', half);
    assert.throws(() => variables.set('b', half), /too many or too large/);
    assert.deepEqual(Object.keys(variables.vars), ['a']);
  });

  it('are so many and no more', () => {
    const variables = newVariables();
    for (let k = 0; k < maxVariables; k++) variables.set(`v${k}`, k);
    assert.throws(() => variables.set('more', 1), /too many or too large/);
    variables.set('v0', 2);
    variables.unset('v1');
    variables.set('more', 1);
  });
});
