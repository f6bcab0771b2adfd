import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { spokenName } from './spoken-name.ts';

describe('spokenName', () => {
  for (const [text, name] of [
    ['Steven Smith.', 'steven smith'],
    ['Anne!', 'anne'],
    ['My name is Mary-Jane O\u2019Neill', "mary-jane o'neill"],
    ["Uh, hi, it's Jos\u00e9 speaking.", 'jos\u00e9'],
    ['This is Bob Jones here, thank you', 'bob jones'],
    ['Hello?', ''],
    ['Yes.', ''],
    ['42', ''],
    ['Could you please tell me what this is about', ''],
    ['', ''],
  ] as const)
    test(`${JSON.stringify(text)} is ${name || 'none'}`, () => {
      assert.equal(spokenName(text), name);
    });
});
