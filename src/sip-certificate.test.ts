import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FakeClock } from './clock.ts';
import { loadConfig } from './config.ts';
import { silentLogger } from './logger.ts';
import { makeSelfSigned } from './sip/self-signed.ts';
import type { TlsIdentity } from './sip/transport-tls.ts';
import { loadTls, watchIdentity } from './sip-certificate.ts';

const dir = mkdtempSync(join(tmpdir(), 'callreel-'));
after(() => rmSync(dir, { recursive: true }));
const clock = new FakeClock();

function configOf(settings: Record<string, string> = {}) {
  return loadConfig({ CALLREEL_DATA_DIR: dir, CALLREEL_SIP_TRANSPORTS: 'tls', ...settings }, dir);
}

const files = { CALLREEL_SIP_TLS_CERT_FILE: 'sip.crt', CALLREEL_SIP_TLS_KEY_FILE: 'sip.key' };

function write({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(join(dir, 'sip.crt'), cert);
  writeFileSync(join(dir, 'sip.key'), key);
}

test('without files one is made for our names, once, and kept for its owner', () => {
  const { identity, ca, verify } = loadTls(configOf(), clock);
  const certificate = new X509Certificate(identity.cert);
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(certificate.checkHost('localhost'), 'localhost');
  assert.doesNotMatch(identity.cert, /PRIVATE/);
  assert.match(identity.key.reveal(), /^-----BEGIN PRIVATE KEY-----/);
  assert.equal(statSync(join(dir, 'sip-tls.pem')).mode & 0o777, 0o600);
  assert.deepEqual([ca, verify], [undefined, true]);
  assert.equal(loadTls(configOf(), clock).identity.cert, identity.cert);
});

test('files that are missing, damaged or of two minds are named with their setting', () => {
  const load = () => loadTls(configOf(files), clock);
  assert.throws(load, { code: 'CONFIG_INVALID', where: 'sip.tls.certFile' });
  const [one, other] = [makeSelfSigned(['a'], new Date(0)), makeSelfSigned(['b'], new Date(0))];
  write({ cert: one.cert, key: other.key });
  assert.throws(load, { code: 'CONFIG_INVALID', where: 'sip.tls.keyFile' });
  write({ cert: 'no certificate', key: one.key });
  assert.throws(load, { code: 'CONFIG_INVALID', where: 'sip.tls.certFile' });
  assert.throws(() => configOf({ CALLREEL_SIP_TLS_CERT_FILE: 'sip.crt' }), /certFile and keyFile together/);
  assert.throws(() => loadTls(configOf({ CALLREEL_SIP_TLS_CA_FILE: 'none.pem' }), clock), {
    where: 'sip.tls.caFile',
  });
});

test('files that change are read again; half of a change is no change', () => {
  const [first, second] = [makeSelfSigned(['a'], new Date(0)), makeSelfSigned(['b'], new Date(0))];
  write(first);
  const shown: TlsIdentity[] = [];
  const stop = watchIdentity(configOf(files).sip.tls, { clock, log: silentLogger }, (identity) =>
    shown.push(identity),
  );
  clock.advanceMs(60_000);
  write({ ...first, cert: second.cert });
  clock.advanceMs(60_000);
  assert.equal(shown.length, 0);
  write(second);
  clock.advanceMs(60_000);
  assert.deepEqual(
    shown.map(({ cert }) => cert),
    [second.cert],
  );
  stop();
  assert.equal(clock.pendingTimers, 0);
});
