import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { Dialog } from './dialog.ts';
import { DialogRoute } from './dialog-route.ts';
import type { SipRequest } from './message.ts';
import { DnsResolver } from './name-resolver.ts';
import { parseMessage } from './parser.ts';
import type { SipSession } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { standardSessionTimer } from './session-expires.ts';
import { TestDnsServer } from './test-dns-server.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  RawPeer,
  recordingHandlers,
  requestText,
  sdp,
  startUserAgent,
} from './test-peers.ts';
import type { Endpoint, Flow } from './transport.ts';

let dns: TestDnsServer;
before(async () => {
  dns = await TestDnsServer.start([]);
});
after(() => dns.close());

const resolver = () => new DnsResolver({ clock: systemClock, servers: [dns.address] });

function srv(domain: string, ...ports: readonly number[]): void {
  dns.zone = [
    ...ports.map((port, index) => ({
      name: `_sip._udp.${domain}`,
      srv: [index, 0, port, `host.${domain}`] as const,
    })),
    { name: `host.${domain}`, a: '127.0.0.1' },
  ];
}

function toTagOf(text: string | undefined): string {
  return /^To:.*;tag=([^;\r]+)/m.exec(text ?? '')?.[1] ?? '';
}

describe('requests of a call to a name', () => {
  for (const [where, extra] of [
    ['Record-Route', ['Record-Route: <sip:proxy.example;lr>']],
    ['Contact', ['Contact: <sip:caller@proxy.example>']],
  ] as const)
    test(`go where the ${where} is by DNS, to the next target where one is down`, async () => {
      const sessions = new Arrivals<SipSession>();
      const server = await startUserAgent({
        resolver: resolver(),
        timers: quickTimers,
        onInvite: acceptAll(sessions, { ended: () => {} }),
      });
      const [caller, down, proxy] = [
        await RawPeer.open(portOf(server, 'udp')),
        await RawPeer.open(0),
        await RawPeer.open(portOf(server, 'udp')),
      ];
      srv('proxy.example', down.port, proxy.port);
      const text = requestText('INVITE', caller.port, { body: sdp, extra });
      // The Contact of the test's usual request is the caller itself.
      caller.send(where === 'Contact' ? text.replace(/^Contact: <sip:caller@127.*\r\n/m, '') : text);
      await caller.response('INVITE', 200);
      caller.request('ACK', { toTag: toTagOf(caller.texts.at(-1)) });
      (await sessions.next()).end('done');
      const bye = await proxy.incoming('BYE');
      assert.equal((await down.incoming('BYE')).callId, bye.callId);
      assert.match(bye.uri, where === 'Contact' ? /proxy\.example/ : /127\.0\.0\.1/);
      await proxy.answer(bye);
      await server.close();
      for (const peer of [caller, down, proxy]) peer.close();
    });

  test('go back where the call came from, where the name leads nowhere', async () => {
    dns.zone = [];
    const sessions = new Arrivals<SipSession>();
    const server = await startUserAgent({
      resolver: resolver(),
      onInvite: acceptAll(sessions, { ended: () => {} }),
    });
    const caller = await RawPeer.open(portOf(server, 'udp'));
    const extra = ['Record-Route: <sip:nowhere.example;lr>'];
    caller.request('INVITE', { body: sdp, extra });
    await caller.response('INVITE', 200);
    caller.request('ACK', { toTag: toTagOf(caller.texts.at(-1)) });
    const session = await sessions.next();
    session.end('done');
    const bye = await caller.incoming('BYE');
    assert.equal(bye.callId, session.callId);
    await caller.answer(bye);
    caller.close();
    await server.close();
  });

  test('the ACK of a 2xx waits for the name, and the BYE behind it', async () => {
    const agent = await startUserAgent({ resolver: resolver() });
    const [gateway, proxy] = [
      await RawPeer.open(portOf(agent, 'udp')),
      await RawPeer.open(portOf(agent, 'udp')),
    ];
    srv('proxy.example', proxy.port);
    const { handlers, events } = recordingHandlers();
    const session = agent.invite({
      requestUri: `sip:100@127.0.0.1:${gateway.port}`,
      from: '<sip:alice@127.0.0.1>',
      offer: sdp,
      handlers,
    });
    await gateway.incoming('INVITE');
    const head = gateway.texts.at(-1)!.split('\r\n\r\n')[0]!;
    gateway.send(
      `${head
        .replace(/^INVITE .*$/m, 'SIP/2.0 200 OK')
        .replace(/^Contact:.*$/m, 'Contact: <sip:100@proxy.example>')
        .replace(/^To: (.*)$/m, 'To: $1;tag=them')}\r\n\r\n${sdp}`,
    );
    await events.until((event) => event === 'established');
    session.end();
    const heard = [await proxy.received.next(), await proxy.received.next()] as SipRequest[];
    assert.deepEqual(
      heard.map(({ method }) => method),
      ['ACK', 'BYE'],
    );
    await proxy.answer(heard[1]!);
    gateway.close();
    proxy.close();
    await agent.close();
  });
});

describe('DialogRoute', () => {
  const clock = new FakeClock();
  const flowTo = (remote: Endpoint, open = true): Flow => ({
    transport: remote.transport,
    reliable: remote.transport !== 'udp',
    remote,
    local: { host: '192.0.2.9', port: 5061 },
    open,
    send: () => {},
  });

  function dialogWith(contact: string): Dialog {
    const text = requestText('INVITE', 5060, {}).replace(/^Contact: .*$/m, `Contact: ${contact}`);
    const result = parseMessage(Buffer.from(text));
    assert.ok(result.ok && result.message.kind === 'request');
    return Dialog.forServer(result.message, 'us');
  }

  function routeWith(locate: SessionContext['locate']): DialogRoute {
    return new DialogRoute({
      transactions: { clock, timers: quickTimers, terminated: () => {} },
      log: () => {},
      sessionTimer: standardSessionTimer,
      contact: () => '',
      request: () => assert.fail('nothing is sent'),
      sendAck: () => assert.fail('nothing is sent'),
      flowTo: (remote) => flowTo(remote),
      locate,
      release: () => {},
    });
  }

  const gone: Endpoint = { transport: 'tls', address: '192.0.2.1', port: 5061, serverName: 'pbx.example' };

  test('a TLS connection that is opened anew asks for the name that the host was found by', () => {
    const way = routeWith(() => assert.fail('a number is not looked up'));
    way.flow = flowTo(gone, false);
    let found: Flow | undefined;
    way.take(dialogWith('<sip:b@192.0.2.1:5071;transport=tls>'), (flow) => {
      found = flow;
    });
    assert.deepEqual(found?.remote, { ...gone, port: 5071 });
    way.take(dialogWith('<sip:b@192.0.2.2:5071;transport=tls>'), (flow) => {
      found = flow;
    });
    assert.deepEqual(found?.remote, { transport: 'tls', address: '192.0.2.2', port: 5071 });
  });

  test('what waits for a name leaves in order, and a name server that is silent is not waited for', async () => {
    const looked: string[] = [];
    const way = routeWith((uri) => {
      looked.push(uri);
      return new Promise(() => {});
    });
    way.flow = flowTo({ transport: 'udp', address: '192.0.2.1', port: 5060 });
    const dialog = dialogWith('<sip:b@slow.example>');
    const used: string[] = [];
    way.take(dialog, (flow) => used.push(`first ${flow?.remote.address}`));
    way.take(dialog, (flow) => used.push(`second ${flow?.remote.address}`));
    assert.equal(used.length, 0);
    clock.advanceMs(1000);
    assert.deepEqual(used, ['first 192.0.2.1', 'second 192.0.2.1']);
    way.take(dialog, (flow) => used.push(`third ${flow?.remote.address}`));
    assert.equal(used.length, 3);
    clock.advanceMs(60_000);
    way.take(dialog, () => used.push('fourth'));
    assert.deepEqual(looked, ['sip:b@slow.example', 'sip:b@slow.example']);
    clock.advanceMs(1000);
    assert.equal(used.at(-1), 'fourth');
    assert.equal(clock.pendingTimers, 0);
  });
});
