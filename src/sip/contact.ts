import type { RequestDraft } from './serializer.ts';
import { contactAddress, type Flow } from './transport.ts';

/**
 * The request with our Contact as it is on the flow that it leaves by.
 * @param former host, port and transport of the Contact it was written with
 */
export function withContactOn(draft: RequestDraft, former: string, flow: Flow): RequestDraft {
  const now = contactAddress(flow);
  if (former === now || former === '') return draft;
  const headers = draft.headers.map(({ name, value }) => ({
    name,
    value: name === 'Contact' ? value.replace(former, now) : value,
  }));
  return { ...draft, headers };
}
