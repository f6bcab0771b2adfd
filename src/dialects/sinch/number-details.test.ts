import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../../errors.ts';
import { SinchError } from './errors.ts';
import { numberDetails } from './number-details.ts';

const free = { currencyId: 'USD', amount: 0 };

test('a number in E.164, by its country; restricted where it can not be called', async () => {
  const asked: string[] = [];
  const open = {
    country: undefined,
    route: async (number: string) => void asked.push(number),
  };
  const sweden = { countryId: 'SE', numberType: 'Unknown', normalizedNumber: '+46730170101', rate: free };
  for (const text of ['+46730170101', '46730170101', '+46 73-017 01 01', '0046730170101'])
    assert.deepEqual(await numberDetails(text, open), { ...sweden, restricted: false }, text);
  assert.deepEqual([...new Set(asked)], ['+46730170101']);
  const german = await numberDetails('030 901820', { ...open, country: 'DE' });
  assert.deepEqual([german.countryId, german.normalizedNumber], ['DE', '+4930901820']);
  for (const code of ['OUTBOUND_FORBIDDEN', 'NO_TRUNK'] as const) {
    const route = async () => {
      throw new CallreelError(code, 'no');
    };
    assert.equal((await numberDetails('+46730170101', { country: undefined, route })).restricted, true);
  }
});

test('what is no number, and a fault of ours', async () => {
  const route = async () => {
    throw new CallreelError('DATABASE_UNAVAILABLE', 'gone');
  };
  const query = { country: undefined, route };
  for (const text of ['abc', '', '12', '+0123456789', '1'.repeat(40)])
    await assert.rejects(
      numberDetails(text, query),
      (error) => error instanceof SinchError && error.code === 40001,
      text,
    );
  await assert.rejects(numberDetails('+46730170101', query), { code: 'DATABASE_UNAVAILABLE' });
});
