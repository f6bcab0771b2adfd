import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefusedWrite } from './refused-write.ts';

test('what is said of the data is for ever, what is said of the database is not', () => {
  for (const code of ['22021', '22P05', '23505', '54000'])
    assert.equal(isRefusedWrite(Object.assign(new Error('refused'), { code })), true, code);
  for (const code of ['08006', '40001', '53300', '57P01', 'XX000', '22', 'ECONNREFUSED', 22_021])
    assert.equal(isRefusedWrite(Object.assign(new Error('passing'), { code })), false, String(code));
  for (const error of [new Error('Connection terminated'), undefined, null, '22021'])
    assert.equal(isRefusedWrite(error), false);
});
