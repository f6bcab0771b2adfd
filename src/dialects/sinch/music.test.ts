import assert from 'node:assert/strict';
import { it } from 'node:test';
import { musicOf } from './music.ts';

it('ring and three tunes, in any case; no other', () => {
  assert.equal(musicOf('Ring')?.kind, 'ring');
  for (const tune of [1, 2, 3] as const) {
    const prompt = musicOf(`music${tune}`);
    assert.ok(prompt?.kind === 'tune' && prompt.tune === tune);
  }
  for (const other of ['music4', '', 'toString']) assert.equal(musicOf(other), undefined);
});
