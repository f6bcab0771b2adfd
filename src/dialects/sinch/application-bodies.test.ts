import assert from 'node:assert/strict';
import { it } from 'node:test';
import { callbackUrlsBody, readCallbackUrls, readNumbers } from './application-bodies.ts';
import { SinchError } from './errors.ts';
import { readRequest } from './request-body.ts';

const codeOf = (action: () => unknown): number => {
  try {
    action();
  } catch (error) {
    if (error instanceof SinchError) return error.code;
    throw error;
  }
  return 0;
};

it('callback URLs, as the client sends and reads them', () => {
  const body = { url: { primary: 'http://x/cb', fallback: 'http://y/cb' } };
  const { request } = readRequest(body, readCallbackUrls);
  assert.deepEqual(callbackUrlsBody(request), body);
  const none = readRequest({ url: { primary: '' } }, readCallbackUrls).request;
  assert.deepEqual(callbackUrlsBody(none), { url: {} });
  assert.equal(
    codeOf(() => readRequest({}, readCallbackUrls)),
    40002,
  );
  assert.equal(
    codeOf(() => readRequest({ url: { primary: 'ftp://x' } }, readCallbackUrls)),
    40001,
  );
});

it('numbers, to an application and away from it', () => {
  const assigned = { numbers: ['+12017777777'], applicationkey: 'appk', capability: 'voice' };
  assert.deepEqual(readRequest(assigned, readNumbers).request, {
    numbers: ['+12017777777'],
    applicationKey: 'appk',
    capability: 'voice',
  });
  assert.deepEqual(readRequest({ number: '+12017777777' }, readNumbers).request, {
    numbers: ['+12017777777'],
    applicationKey: undefined,
    capability: 'voice',
  });
  for (const wrong of [{ numbers: ['12017777777'] }, { numbers: [7] }, { numbers: '+1201' }, { number: 'x' }])
    assert.equal(
      codeOf(() => readRequest(wrong, readNumbers)),
      40001,
    );
  assert.equal(
    codeOf(() => readRequest({}, readNumbers)),
    40002,
  );
});
