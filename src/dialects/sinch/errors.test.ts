import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CallreelError, type ErrorCode } from '../../errors.ts';
import { sinchErrorOf } from './errors.ts';

it("errors of ours in the vendor's terms", () => {
  const told = (code: ErrorCode, message: string, where?: string) => {
    const error = sinchErrorOf(new CallreelError(code, message, where === undefined ? {} : { where }));
    return [error.status, error.body('ref-1')];
  };
  assert.deepEqual(told('NOT_FOUND', 'there is no such call'), [
    404,
    { errorCode: 40400, message: 'there is no such call', reference: 'ref-1' },
  ]);
  assert.deepEqual(told('UNAUTHORIZED', 'who?'), [
    401,
    { errorCode: 40108, message: 'Invalid credentials', reference: 'ref-1' },
  ]);
  assert.deepEqual(told('REQUEST_INVALID', 'expected string, received undefined', 'body.method'), [
    400,
    { errorCode: 40002, message: 'Missing parameter: method', reference: 'ref-1' },
  ]);
  assert.deepEqual(told('REQUEST_INVALID', 'too long', 'body.cli'), [
    400,
    { errorCode: 40001, message: 'cli: too long', reference: 'ref-1' },
  ]);
  assert.deepEqual(told('OUTBOUND_FORBIDDEN', 'not to this country'), [
    403,
    { errorCode: 40301, message: 'not to this country', reference: 'ref-1' },
  ]);
});

it('says nothing of what is wrong with us', () => {
  const error = sinchErrorOf(new CallreelError('INTERNAL', 'password of the database'));
  assert.equal(error.status, 500);
  assert.deepEqual(error.body('r'), { errorCode: 50000, message: 'Internal error', reference: 'r' });
});

it('what may be over soon has the status by which a client comes again', () => {
  for (const code of [
    'OVERLOADED',
    'DATABASE_UNAVAILABLE',
    'PORTS_EXHAUSTED',
    'DRAINING',
    'WORKER_LOST',
  ] as const) {
    const error = sinchErrorOf(new CallreelError(code, 'password of the database'));
    assert.equal(error.status, 503);
    assert.deepEqual(error.body('r'), { errorCode: 50000, message: 'Service unavailable', reference: 'r' });
  }
});
