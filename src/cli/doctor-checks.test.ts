import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../config.ts';
import { makeSelfSigned } from '../sip/self-signed.ts';
import {
  checkCertificate,
  checkDataDir,
  checkDisk,
  checkMasterKey,
  checkNode,
  checkOpenFiles,
  checkPorts,
} from './doctor-checks.ts';

const dir = mkdtempSync(join(tmpdir(), 'callreel-'));
after(() => rmSync(dir, { recursive: true }));

function configOf(settings: Record<string, string> = {}) {
  return loadConfig({ CALLREEL_DATA_DIR: join(dir, 'data'), CALLREEL_RTP_PORTS: '0-0', ...settings }, dir);
}

test('Node', () => {
  assert.equal(checkNode('26.0.0').result, 'ok');
  assert.equal(checkNode('9.11.2').result, 'failure');
});

test('open files', () => {
  const limits = (limit: string) => {
    const file = join(dir, 'limits');
    writeFileSync(
      file,
      `Limit                     Soft Limit  Hard Limit Units\nMax open files            ${limit}  ${limit} files\n`,
    );
    return checkOpenFiles(file).result;
  };
  assert.deepEqual(['1024', '4096', 'unlimited'].map(limits), ['warning', 'ok', 'ok']);
  assert.equal(checkOpenFiles(join(dir, 'none')).result, 'ok');
});

test('the master key: to be made, missing, damaged, open to all, good', () => {
  const config = configOf();
  const file = join(config.dataDir, 'keys', 'master.key');
  assert.equal(checkMasterKey(config).result, 'ok');
  mkdirSync(join(config.dataDir, 'spool'), { recursive: true });
  assert.match(checkMasterKey(config).todo ?? '', /backup/);
  mkdirSync(join(config.dataDir, 'keys'));
  writeFileSync(file, Buffer.alloc(31));
  assert.equal(checkMasterKey(config).result, 'failure');
  writeFileSync(file, Buffer.alloc(32));
  chmodSync(file, 0o644);
  assert.equal(checkMasterKey(config).result, 'warning');
  chmodSync(file, 0o600);
  assert.equal(checkMasterKey(config).result, 'ok');
});

test('data directory and disk are looked at where they will be', () => {
  assert.equal(checkDataDir(configOf()).result, 'ok');
  assert.match(checkDataDir(configOf({ CALLREEL_DATA_DIR: join(dir, 'a/b/c') })).detail, /will be made/);
  assert.match(checkDisk(configOf()).detail, /GB free/);
});

test('a port that is taken is named with its setting', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const config = configOf({ CALLREEL_HTTP_PORT: String(port), CALLREEL_SIP_PORT: '0' });
  const findings = await checkPorts(config, false);
  assert.deepEqual(
    findings.map(({ result }) => result),
    ['ok', 'ok', 'failure', 'ok'],
  );
  assert.match(findings[2]?.todo ?? '', /`http.port`/);
  const elsewhere = configOf({ CALLREEL_SIP_HOST: '192.0.2.1', CALLREEL_SIP_PORT: '0' });
  assert.match((await checkPorts(elsewhere, false))[0]?.detail ?? '', /EADDRNOTAVAIL/);
  assert.equal((await checkPorts(config, true)).length, 1);
  await new Promise((resolve) => server.close(resolve));
});

test('the certificate of SIP over TLS: not wanted, our own, good, about to end, ended, unusable', () => {
  const day = 24 * 3600_000;
  assert.deepEqual(checkCertificate(configOf()), []);
  const tls = { CALLREEL_SIP_TRANSPORTS: 'udp,tls' };
  assert.equal(checkCertificate(configOf(tls))[0]?.result, 'warning');
  const config = configOf({
    ...tls,
    CALLREEL_SIP_TLS_CERT_FILE: join(dir, 'sip.crt'),
    CALLREEL_SIP_TLS_KEY_FILE: join(dir, 'sip.key'),
  });
  assert.match(checkCertificate(config)[0]?.detail ?? '', /cannot be read/);
  const { cert, key } = makeSelfSigned(['a'], new Date('2026-01-01'));
  writeFileSync(join(dir, 'sip.crt'), cert);
  writeFileSync(join(dir, 'sip.key'), key);
  const end = Date.parse('2036-01-01');
  const results = [end - 30 * day, end - day, end].map(
    (unixMs) => checkCertificate(config, unixMs)[0]?.result,
  );
  assert.deepEqual(results, ['ok', 'warning', 'failure']);
});
