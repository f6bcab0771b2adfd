import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../secret.ts';
import { authenticateBasic } from './basic.ts';

const credentials = { accountId: 'acc', authToken: new Secret('to:ken é') };
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('accepted', () => {
  for (const header of [basic('acc:to:ken é'), basic('acc:to:ken é').replace('Basic ', 'basic  ')])
    test(header, () => authenticateBasic(header, credentials));
});

describe('refused', () => {
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Bearer abc',
    'Basic !!!',
    basic(''),
    basic('acc'),
    basic('acc:'),
    basic('acc:to'),
    basic('acc:to:ken é '),
    basic('acc:to:ken é\0'),
    basic('ac:c:to:ken é'),
    basic('other:to:ken é'),
    `${basic('acc:to:ken é')} x`,
    basic(`acc:${'x'.repeat(10_000)}`),
  ])
    test(`${header?.slice(0, 40)}`, () =>
      assert.throws(() => authenticateBasic(header, credentials), { code: 'UNAUTHORIZED', status: 401 }));
});
