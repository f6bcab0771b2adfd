import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Config, loadConfig } from './config.ts';
import { listenAddresses, mediaAddressFor, outsideHost } from './listen-addresses.ts';

function configOf(settings: Record<string, string>): Config {
  return loadConfig(settings, join(tmpdir(), 'callreel-has-no-such-folder'));
}

function written(config: Config): string[] {
  return listenAddresses(config.sip).map(
    ({ transport, host, port, advertisedHost }) => `${transport} ${host} ${port} ${advertisedHost ?? '-'}`,
  );
}

test('one address, as ever', () => {
  assert.deepEqual(written(configOf({})), ['udp 127.0.0.1 5060 -', 'tcp 127.0.0.1 5060 -']);
  const config = configOf({
    CALLREEL_SIP_HOST: '0.0.0.0',
    CALLREEL_SIP_PORT: '5070',
    CALLREEL_SIP_TRANSPORTS: 'udp,tls',
    CALLREEL_SIP_ADVERTISED_HOST: '203.0.113.7',
  });
  assert.deepEqual(written(config), ['udp 0.0.0.0 5070 203.0.113.7', 'tls 0.0.0.0 5061 203.0.113.7']);
  assert.equal(config.rtp.host, '0.0.0.0');
  assert.equal(config.rtp.advertisedHost, '203.0.113.7');
  assert.equal(outsideHost(config.sip), '203.0.113.7');
});

test('free ports are free for TLS too, unless it has one of its own', () => {
  const free = configOf({ CALLREEL_SIP_PORT: '0', CALLREEL_SIP_TRANSPORTS: 'tls' });
  assert.deepEqual(written(free), ['tls 127.0.0.1 0 -']);
  const own = configOf({ CALLREEL_SIP_TLS_PORT: '5071', CALLREEL_SIP_TRANSPORTS: 'tls' });
  assert.deepEqual(written(own), ['tls 127.0.0.1 5071 -']);
});

const interfaces = [
  { host: '10.0.1.5', advertisedHost: '203.0.113.7' },
  { host: '192.168.5.2', port: 5080, transports: ['udp'] },
  { host: '2001:db8::5', transports: ['tls'], tlsPort: 5071 },
];

test('several addresses, each with what it leaves out from above', () => {
  const config = configOf({ CALLREEL_SIP_INTERFACES: JSON.stringify(interfaces) });
  assert.deepEqual(written(config), [
    'udp 10.0.1.5 5060 203.0.113.7',
    'tcp 10.0.1.5 5060 203.0.113.7',
    'udp 192.168.5.2 5080 -',
    'tls 2001:db8::5 5071 -',
  ]);
  assert.equal(config.rtp.host, '::');
  assert.equal(outsideHost(config.sip), '203.0.113.7');
});

test('media: near peers are told our own address, others what stands for it', () => {
  const config = configOf({
    CALLREEL_SIP_HOST: '10.0.1.5',
    CALLREEL_SIP_ADVERTISED_HOST: '203.0.113.7',
    CALLREEL_SIP_LOCAL_NETWORKS: '10.0.0.0/8',
  });
  const address = mediaAddressFor(config);
  assert.equal(address('198.51.100.1'), '203.0.113.7');
  assert.equal(address('10.77.0.1'), '10.0.1.5');
  assert.equal(address(''), '203.0.113.7');
});

test('media has an address of its own where it is set', () => {
  const config = configOf({
    CALLREEL_SIP_ADVERTISED_HOST: 'sip.example.com',
    CALLREEL_RTP_HOST: '10.0.1.6',
    CALLREEL_RTP_ADVERTISED_HOST: '203.0.113.8',
  });
  assert.equal(mediaAddressFor(config)('198.51.100.1'), '203.0.113.8');
});
