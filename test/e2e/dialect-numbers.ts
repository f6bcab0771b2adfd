import assert from 'node:assert/strict';
import { headerValue, type SipResponse } from '../../src/sip/message.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import type { Scene } from './scene.ts';

export const dialects = ['sift', 'signalwire', 'sinch'] as const;
export type DialectName = (typeof dialects)[number];

/** A number of each dialect. @param decide gives the document for a caller */
export async function addNumbers(
  scene: Scene,
  decide: (dialect: DialectName) => Promise<unknown>,
): Promise<Record<DialectName, string>> {
  const http = new HttpClient(scene.server.callreel);
  const added = dialects.map(async (dialect, index) => {
    const url = scene.handle<{ event?: string }>(`/decides-${dialect}`, async ({ event = 'ice' }) =>
      event === 'ice' ? await decide(dialect) : {},
    );
    const number = `400${index}`;
    const application = { dialect, name: dialect, numbers: [number], url };
    const { status, body } = await http.json('POST', '/v1/applications', application);
    assert.equal(status, 201, JSON.stringify(body));
    return [dialect, number] as const;
  });
  return Object.fromEntries(await Promise.all(added)) as Record<DialectName, string>;
}

/** The document that connects a caller with whoever is there. */
export function connectTo(dialect: DialectName, sipUri: string): object {
  if (dialect === 'sift') return { routine: [{ name: 'CallPhone', phone_number: sipUri }] };
  if (dialect === 'signalwire')
    return { version: '1.0.0', sections: { main: [{ connect: { to: sipUri, answer_on_bridge: true } }] } };
  const destination = { type: 'sip', endpoint: sipUri.replace(/^sip:/, '') };
  return { action: { name: 'connectSip', destination } };
}

/** What a caller is told who may come again soon. */
export function assertComeAgain(response: SipResponse, code?: string): void {
  assert.equal(response.status, 503, response.reason);
  assert.match(headerValue(response, 'retry-after') ?? '', /^\d+$/);
  if (code !== undefined) assert.equal(response.reason, code);
}

/** The same by HTTP. @returns what the answer says */
export function unavailable<Body>({ status, headers, body }: HttpAnswer<Body>): Body {
  assert.equal(status, 503);
  assert.match(headers.get('retry-after') ?? '', /^\d+$/);
  return body;
}
