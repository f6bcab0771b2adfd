import assert from 'node:assert/strict';
import { FakeClock } from '../../../src/clock.ts';
import { Secret } from '../../../src/secret.ts';
import { parseDigestHeader } from '../../../src/sip/digest.ts';
import { answerChallenge, readChallenge } from '../../../src/sip/digest-client.ts';
import { DigestServer } from '../../../src/sip/digest-server.ts';
import { DigestSession } from '../../../src/sip/digest-session.ts';
import type { FuzzTarget } from '../target.ts';

const request = { method: 'REGISTER', uri: 'sip:example.com' };
const credentials = { username: 'alice', password: new Secret('wonderland') };
const cnonce = 'c0ffee';

/**
 * Credentials to our server and challenges to our client. `{nonce}` and `{response}` in an input become what would be
 * right, so that changes begin with credentials that are.
 */
export function createTarget(): FuzzTarget {
  const server = new DigestServer({
    clock: new FakeClock(),
    realm: 'callreel',
    password: (username) => (username === 'alice' ? credentials.password : undefined),
    nonceKey: new Secret(new Uint8Array(32)),
  });
  const right = () => rightFields(server);
  return {
    isText: true,
    maxBytes: 12_000,
    dictionary: words,
    seeds: () => seeds.map((text) => Buffer.from(text)),
    async run(input) {
      const fields = right();
      const text = Buffer.from(input)
        .toString()
        .replaceAll('{nonce}', fields.get('nonce')!)
        .replaceAll('{response}', fields.get('response')!);
      const read = parseDigestHeader(text);
      const verdict = await server.verify({ ...request, headers: [{ key: 'authorization', value: text }] });
      if (verdict.ok) {
        assert.equal(verdict.username, 'alice');
        for (const name of ['username', 'realm', 'nonce', 'uri', 'cnonce', 'nc'])
          assert.equal(read?.get(name), fields.get(name), `accepted with another ${name}`);
        assert.equal(read?.get('response')?.toLowerCase(), fields.get('response'));
      }
      checkClient(text);
    },
  };
}

function rightFields(server: DigestServer): Map<string, string> {
  const headers = server.challenges().map(({ value }) => ({ key: 'www-authenticate', value }));
  const answer = answerChallenge({ status: 401, headers }, request, credentials, cnonce);
  return parseDigestHeader(answer!.value)!;
}

/** Whatever it is asked, our client never says its password, and what it says can be read. */
function checkClient(text: string): void {
  const response = { status: 401, headers: [{ key: 'www-authenticate', value: text }] };
  const answer = answerChallenge(response, request, credentials, cnonce);
  const challenge = readChallenge(response);
  assert.equal(answer === undefined, challenge === undefined);
  const session = new DigestSession(credentials);
  session.challenged(response);
  assert.equal(session.authorize(request) === undefined, challenge === undefined);
  if (answer === undefined || challenge === undefined) return;
  assert.ok(!answer.value.includes('wonderland') || text.includes('wonderland'));
  assert.ok(!/[\r\n]/.test(answer.value), 'credentials are one line');
  assert.ok(answer.value.length <= 2 * text.length + 1000);
  const read = parseDigestHeader(answer.value);
  assert.equal(read?.get('realm'), challenge.realm.replace(/[\r\n]/g, ' '));
  assert.equal(read?.get('nonce'), challenge.nonce.replace(/[\r\n]/g, ' '));
}

const seeds = [
  'Digest username="alice", realm="callreel", nonce="{nonce}", uri="sip:example.com", response="{response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c0ffee"',
  'Digest username="alice",realm="callreel",nonce="{nonce}",uri="sip:example.com",response="{response}",algorithm=MD5,qop=auth,nc=00000001,cnonce="c0ffee",opaque=""',
  'Digest realm="other \\"quoted\\"", nonce="abc", opaque="5ccc", algorithm=MD5, qop="auth,auth-int", stale=TRUE',
  'Digest realm="callreel", nonce="{nonce}"',
  'digest\trealm = callreel , nonce=1, algorithm="SHA-256", qop="auth", domain="sip:a, sip:b"',
];

const words = [
  ...[
    'Digest ',
    'username="alice"',
    'realm="callreel"',
    'nonce="{nonce}"',
    'uri="sip:example.com"',
    'qop=auth',
  ],
  ...[
    'response="{response}"',
    'algorithm=MD5',
    'algorithm=SHA-256',
    'nc=00000001',
    'nc=00000002',
    'cnonce="c0ffee"',
  ],
  ...[
    'qop="auth-int"',
    'stale=true',
    'opaque="',
    '{nonce}',
    '{response}',
    '\\"',
    '""',
    ',',
    '=',
    '"',
    '__proto__=',
  ],
];
