import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { answerChallenge } from './digest-client.ts';
import { DigestServer } from './digest-server.ts';

const request = { method: 'REGISTER', uri: 'sip:example.com' };
const credentials = { username: 'alice', password: new Secret('wonderland') };

function setUp(algorithms?: ('MD5' | 'SHA-256')[]) {
  const clock = new FakeClock();
  const server = new DigestServer({
    clock,
    realm: 'callreel',
    algorithms,
    password: (username) => (username === 'alice' ? credentials.password : undefined),
  });
  const challenge = (only?: string) => ({
    status: 401,
    headers: server
      .challenges()
      .filter(({ value }) => only === undefined || value.includes(`algorithm=${only}`))
      .map(({ value }) => ({ key: 'www-authenticate', value })),
  });
  const withAnswer = (value: string | undefined) => ({
    ...request,
    headers: [{ key: 'authorization', value: value ?? '' }],
  });
  return { clock, server, challenge, withAnswer };
}

for (const algorithm of ['MD5', 'SHA-256'])
  test(`our client answers our server by ${algorithm}`, async () => {
    const { server, challenge, withAnswer } = setUp();
    const answer = answerChallenge(challenge(algorithm), request, credentials);
    assert.equal(answer?.name, 'Authorization');
    assert.ok(answer.value.includes(`algorithm=${algorithm}`));
    assert.ok(!answer.value.includes('wonderland'));
    assert.deepEqual(await server.verify(withAnswer(answer.value)), { ok: true, username: 'alice' });
  });

test('only the algorithms of the server are offered and taken', async () => {
  const both = setUp();
  const { server, challenge, withAnswer } = setUp(['MD5']);
  assert.deepEqual(
    challenge().headers.map(({ value }) => /algorithm=([\w-]+)/.exec(value)?.[1]),
    ['MD5'],
  );
  const strong = answerChallenge(both.challenge('SHA-256'), request, credentials);
  assert.equal((await both.server.verify(withAnswer(strong?.value))).ok, true);
  const nonce = /nonce="([^"]+)"/.exec(challenge().headers[0]!.value)?.[1];
  const unasked = {
    key: 'www-authenticate',
    value: `Digest realm="callreel", nonce="${nonce}", qop="auth", algorithm=SHA-256`,
  };
  const answer = answerChallenge({ status: 401, headers: [unasked] }, request, credentials);
  assert.match(answer?.value ?? '', /algorithm=SHA-256/);
  assert.deepEqual(await server.verify(withAnswer(answer?.value)), { ok: false, stale: false });
});

test('the client prefers SHA-256 and answers only what it can', () => {
  const { challenge } = setUp();
  const { headers } = challenge();
  assert.match(
    answerChallenge({ status: 401, headers: headers.reverse() }, request, credentials)?.value ?? '',
    /SHA-256/,
  );
  assert.equal(answerChallenge({ status: 407, headers }, request, credentials), undefined);
  assert.equal(answerChallenge({ status: 401, headers }, request, undefined), undefined);
  const integrity = [{ key: 'proxy-authenticate', value: 'Digest realm="a", nonce="b", qop="auth-int"' }];
  assert.equal(answerChallenge({ status: 407, headers: integrity }, request, credentials), undefined);
  const old = [{ key: 'proxy-authenticate', value: 'Digest realm="a", nonce="b", opaque="c"' }];
  const answer = answerChallenge({ status: 407, headers: old }, request, credentials);
  assert.equal(answer?.name, 'Proxy-Authorization');
  assert.match(answer.value, /opaque="c"/);
  assert.doesNotMatch(answer.value, /qop/);
});

test('a wrong password, user, realm, method or uri is refused and not stale', async () => {
  const { server, challenge, withAnswer } = setUp();
  const good = answerChallenge(challenge(), request, credentials)?.value ?? '';
  const wrongPassword = { ...credentials, password: new Secret('looking glass') };
  const answers = [
    answerChallenge(challenge(), request, wrongPassword)?.value,
    answerChallenge(challenge(), request, { ...credentials, username: 'bob' })?.value,
    answerChallenge(challenge(), { ...request, method: 'INVITE' }, credentials)?.value,
    answerChallenge(challenge(), { ...request, uri: 'sip:other' }, credentials)?.value,
    good.replace('realm="callreel"', 'realm="other"'),
    good.replace('qop=auth', 'qop=auth-int'),
    good.replace('nc=00000001', 'nc=1'),
    good.replace(/response="[^"]*"/, 'response=""'),
    'Basic YWxpY2U6d29uZGVybGFuZA==',
  ];
  for (const answer of answers)
    assert.deepEqual(await server.verify(withAnswer(answer)), { ok: false, stale: false }, answer ?? '');
  assert.deepEqual(await server.verify({ ...request, headers: [] }), { ok: false, stale: false });
});

test('a replayed count, an old nonce and a foreign nonce are stale', async () => {
  const { clock, server, challenge, withAnswer } = setUp();
  const answer = withAnswer(answerChallenge(challenge(), request, credentials)?.value);
  assert.equal((await server.verify(answer)).ok, true);
  assert.deepEqual(await server.verify(answer), { ok: false, stale: true });
  const late = withAnswer(answerChallenge(challenge(), request, credentials)?.value);
  clock.advanceMs(300_000);
  assert.deepEqual(await server.verify(late), { ok: false, stale: true });
  const foreign = withAnswer(answerChallenge(setUp().challenge(), request, credentials)?.value);
  assert.deepEqual(await server.verify(foreign), { ok: false, stale: true });
  assert.match(server.challenges(true)[0]?.value ?? '', /stale=true/);
});
