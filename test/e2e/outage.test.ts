import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { TestClock } from 'pg-boss';
import { systemClock } from '../../src/clock.ts';
import { eventState } from '../../src/database/events.ts';
import type { Event } from '../../src/database/schema.ts';
import { noise } from '../../src/testkit/noise.ts';
import { DirectoryRows } from './directory-rows.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

/** A receiver that is down for two days: real calls, real HTTP, and a clock of its own for the delivery of events. */
const hourMs = 3_600_000;
/** The longest pause of the schedule: after it whatever waits is due. */
const stepMs = 6 * hourMs;
const pollMs = 20;

interface Arrival {
  eventId: string;
  conversationId: string;
  type: string;
  deliveryId: string;
  sentUnixMs: number;
}

/** Down (nobody listens), broken (503) or up, always at the same URL. */
class Receiver {
  readonly arrivals: Arrival[] = [];
  status = 204;
  /** An address of its own, where no other socket of this machine takes the port while it is closed. */
  readonly #host = '127.0.0.77';
  #port = 0;
  #server: Server | undefined;

  get url(): string {
    return `http://${this.#host}:${this.#port}/events`;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#take(request, response));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, this.#host, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString()) as {
      conversation_id: string;
      type: string;
    };
    this.arrivals.push({
      eventId: String(request.headers['webhook-id']),
      conversationId: body.conversation_id,
      type: body.type,
      deliveryId: String(request.headers['callreel-delivery-id']),
      sentUnixMs: Number(request.headers['webhook-timestamp']) * 1000,
    });
    response.writeHead(this.status).end();
  }
}

const time = new TestClock();
const startUnixMs = time.now();
const receiver = new Receiver();
let scene: Scene;
let http: HttpClient;
let rows: DirectoryRows;

before(async () => {
  await receiver.listen();
  await receiver.close();
  const clock = {
    ...systemClock,
    unixMs: () => time.now(),
    // The outbox looks for what is due: a jump of the other clock does not wake it.
    after: (delayMs: number, action: () => void) => systemClock.after(Math.min(delayMs, pollMs), action),
  };
  scene = await Scene.open({ deliveryTime: { clock, jobs: time } });
  rows = new DirectoryRows(scene.server.dataDir);
  http = new HttpClient(scene.server.callreel);
});

after(async () => {
  await rows.close();
  await scene[Symbol.asyncDispose]();
  await receiver.close();
});

/** Events that stand first in their conversation: the only ones that are tried. */
function heads(all: readonly Event[]): Event[] {
  const pending = all.filter((event) => eventState(event) === 'pending');
  return pending.filter(
    ({ conversationId }, index) =>
      pending.findIndex((other) => other.conversationId === conversationId) === index,
  );
}

/** Waits until the first event of every conversation was tried that often. */
async function tried(attempts: number): Promise<Event[]> {
  return eventually(`attempt ${attempts} of each conversation`, async () => {
    const first = heads(await rows.allEvents());
    return first.every((event) => event.attempts >= attempts) ? first : undefined;
  });
}

/** A recorded call whose conversation causes `warnings` and then `ended`. */
async function converse(name: string, live: Partial<Record<string, boolean>>): Promise<void> {
  const call = await scene.call([
    scene.join(name, { do_record: true, event_callback: receiver.url, ...live }),
  ]);
  assert.equal(await call.play(noise({ samples: 1600, seed: name.length })), true);
  await call.hangUp();
}

const conversations = [
  { name: 'a', live: { live_transcripts: true } },
  { name: 'bb', live: { live_transcripts: true, live_topics: true } },
  { name: 'ccc', live: {} },
];

test('down for two days: every event comes once it is up, in order, under the id it always had', async () => {
  await Promise.all(conversations.map(({ name, live }) => converse(name, live)));
  const written = await eventually('six events', async () => {
    const all = await rows.allEvents();
    return all.length === 6 ? all : undefined;
  });
  assert.equal(new Set(written.map(({ eventId }) => eventId)).size, 6);

  const first = await tried(1);
  assert.equal(first.length, 3);
  for (const { lastError } of first) assert.match(lastError ?? '', /ECONNREFUSED/);
  let attempts = 1;
  const live = async (untilUnixMs: number) => {
    while (time.now() < untilUnixMs) {
      await time.setTime(time.now() + stepMs);
      await tried(++attempts);
    }
  };
  await live(startUnixMs + 24 * hourMs);
  assert.equal(receiver.arrivals.length, 0);
  await receiver.listen();
  receiver.status = 503;
  await live(startUnixMs + 48 * hourMs);
  for (const { lastError } of await tried(attempts)) {
    assert.match(lastError ?? '', /503/);
  }
  const refused = receiver.arrivals.splice(0);
  assert.equal(refused.length, 4 * conversations.length);
  assert.equal(new Set(refused.map(({ deliveryId }) => deliveryId)).size, refused.length);
  const headIds = first.map(({ eventId }) => eventId).sort();
  assert.deepEqual([...new Set(refused.map(({ eventId }) => eventId))].sort(), headIds);

  // What happens meanwhile waits for its turn.
  await converse('dddd', {});
  receiver.status = 204;
  await time.setTime(time.now() + stepMs);
  const delivered = await eventually('everything delivered', async () => {
    const all = await rows.allEvents();
    return all.length === 7 && all.every(isDelivered) ? all : undefined;
  });
  assert.deepEqual(
    delivered.slice(0, 6).map(({ eventId }) => eventId),
    written.map(({ eventId }) => eventId),
  );
  assert.deepEqual(receiver.arrivals.map(({ eventId }) => eventId).sort(), idsOf(delivered).sort());
  for (const conversationId of new Set(delivered.map((event) => event.conversationId))) {
    const sent = delivered.filter((event) => event.conversationId === conversationId);
    const came = receiver.arrivals.filter((arrival) => arrival.conversationId === conversationId);
    assert.deepEqual(
      came.map(({ eventId }) => eventId),
      idsOf(sent),
    );
    assert.equal(came.at(-1)?.type, 'ended');
    assert.ok(came.slice(0, -1).every(({ type }) => type === 'warning'));
  }
  assert.ok(receiver.arrivals.every(({ sentUnixMs }) => sentUnixMs >= startUnixMs + 48 * hourMs));
});

test('down for more than 72 hours: dead, and a replay delivers it under the same id', async () => {
  receiver.arrivals.length = 0;
  await receiver.close();
  const beforeIds = new Set(idsOf(await rows.allEvents()));
  await converse('eeeee', { live_topics: true });
  const isNew = ({ eventId }: Event) => !beforeIds.has(eventId);
  const written = await eventually('two events', async () => {
    const found = (await rows.allEvents()).filter(isNew);
    return found.length === 2 ? found : undefined;
  });
  const untilUnixMs = time.now() + 72 * hourMs;
  let attempts = 0;
  while (time.now() < untilUnixMs) {
    await tried(++attempts);
    await time.setTime(time.now() + stepMs);
  }
  const dead = await eventually('both dead', async () => {
    const found = (await rows.allEvents()).filter(isNew);
    return found.every((event) => eventState(event) === 'dead') ? found : undefined;
  });
  assert.ok(dead.every(({ lastError }) => /ECONNREFUSED/.test(lastError ?? '')));
  await receiver.listen();
  for (const event of written) {
    assert.equal((await http.post(`/v1/events/${event.eventId}/replay`)).status, 202);
    await eventually(
      'its arrival',
      () => receiver.arrivals.some(({ eventId }) => eventId === event.eventId) || undefined,
    );
  }
  assert.deepEqual(
    receiver.arrivals.map(({ eventId, type }) => [eventId, type]),
    [
      [written[0]!.eventId, 'warning'],
      [written[1]!.eventId, 'ended'],
    ],
  );
  const after = await eventually('both delivered', async () => {
    const found = (await rows.allEvents()).filter(isNew);
    return found.every(isDelivered) ? found : undefined;
  });
  assert.deepEqual(idsOf(after), idsOf(written));
});

function isDelivered(event: Event): boolean {
  return eventState(event) === 'delivered';
}

function idsOf(all: readonly Event[]): string[] {
  return all.map(({ eventId }) => eventId);
}
