import { type CallReport, type MessageReport, partyOf } from './call-report.ts';
import { printable } from './output.ts';
import { sdpLines, sdpMark, sdpOf } from './sdp-summary.ts';

const width = 110;
const timeWidth = 10;
/** Room left and right of the outer lines: half a name. */
const margin = 12;
const indent = timeWidth + 2;
const laneWidths = { least: 16, most: 44 };

interface Event {
  atMs: number;
  connectionId: string;
  towardsUs: boolean;
  label: string;
  line: '-' | '=' | '.';
  below: string[];
}

/** Where the lines of a ladder stand: the first party, we, and the others in the order they came in. */
class Columns {
  readonly #xs: number[];
  readonly #partyAt = new Map<string, number>();
  readonly #us: number;

  constructor(legIds: readonly string[]) {
    const lanes = Math.max(1, legIds.length);
    const room = Math.floor((width - timeWidth - 2 * margin) / lanes);
    const lane = Math.min(laneWidths.most, Math.max(laneWidths.least, room));
    this.#xs = Array.from({ length: lanes + 1 }, (_, index) => timeWidth + margin + index * lane);
    this.#us = this.#xs[1]!;
    for (const [index, id] of legIds.entries()) this.#partyAt.set(id, this.#xs[index === 0 ? 0 : index + 1]!);
  }

  /** Names centred over the lines. @param us what stands over ours */
  header(names: ReadonlyMap<string, string>, us: string): string {
    const row = new Row();
    const room = Math.min(2 * margin, this.#xs[1]! - this.#xs[0]!) - 2;
    row.centre(this.#us, us.slice(0, room));
    for (const [id, x] of this.#partyAt) row.centre(x, (names.get(id) ?? '').slice(0, room));
    return row.text;
  }

  arrow({ atMs, connectionId, towardsUs, label, line }: Event): string {
    const row = this.#lines();
    row.put(0, `${(atMs / 1000).toFixed(3).padStart(timeWidth - 2)}`);
    const party = this.#partyAt.get(connectionId);
    if (party === undefined) return row.text;
    const left = Math.min(party, this.#us) + 1;
    const right = Math.max(party, this.#us) - 1;
    const pointsRight = towardsUs === party < this.#us;
    row.put(left, line.repeat(right - left + 1));
    row.put(pointsRight ? right : left, pointsRight ? '>' : '<');
    // Beside the head, a bit of the line and a blank at either end.
    const room = right - left - 3;
    const shown = label.length > room ? `${label.slice(0, room - 1)}~` : label;
    row.put(left + 1 + ((right - left - 1 - shown.length - 2) >> 1), ` ${shown} `);
    return row.text;
  }

  #lines(): Row {
    const row = new Row();
    for (const x of this.#xs) row.put(x, '|');
    return row;
  }
}

class Row {
  readonly #cells: string[] = [];

  put(x: number, text: string): void {
    while (this.#cells.length < x) this.#cells.push(' ');
    for (const [index, cell] of [...text].entries()) this.#cells[x + index] = cell;
  }

  centre(x: number, text: string): void {
    this.put(Math.max(0, x - Math.floor([...text].length / 2)), text);
  }

  get text(): string {
    return Array.from(this.#cells, (cell) => cell ?? ' ')
      .join('')
      .trimEnd();
  }
}

export interface LadderOptions {
  /** Every stream of every description on a line of its own. */
  sdp: boolean;
}

/**
 * A call as a ladder, one column for each party: the messages with the seconds since the call began, and where the
 * first packet of each party came from. Lines of 110 characters for up to five parties.
 */
export function drawLadder(call: CallReport, { sdp }: LadderOptions): string[] {
  const { legs, messages } = call;
  const columns = new Columns(legs.map(({ connection_id }) => connection_id));
  const firstOf = new Map<string, MessageReport>();
  for (const message of messages)
    if (!firstOf.has(message.connection_id)) firstOf.set(message.connection_id, message);
  const first = messages[0];
  const names = new Map(legs.map((leg) => [leg.connection_id, printable(partyOf(leg))]));
  const addresses = new Map([...firstOf].map(([id, { remote }]) => [id, printable(addressOf(remote))]));
  const transports = new Map([...firstOf].map(([id, { transport }]) => [id, transport]));
  const events = [...messages.map((message) => messageEvent(message, sdp)), ...mediaEvents(call)];
  return [
    columns.header(names, 'Callreel'),
    columns.header(addresses, first ? addressOf(first.local) : ''),
    columns.header(transports, ''),
    ...events
      .toSorted((a, b) => a.atMs - b.atMs)
      .flatMap((event) => [columns.arrow(event), ...event.below.map((line) => ' '.repeat(indent) + line)]),
  ];
}

function messageEvent(message: MessageReport, sdp: boolean): Event {
  const { method, status, reason, retransmission, text, direction } = message;
  const session = sdpOf(text);
  const what = status === null ? method : `${status} ${reason || ''}`.trimEnd();
  const notes = [
    ...(status === null ? [] : [method]),
    ...(session ? [sdpMark(session)] : []),
    ...(retransmission ? ['again'] : []),
  ];
  return {
    atMs: message.at_ms,
    connectionId: message.connection_id,
    towardsUs: direction === 'received',
    label: printable(notes.length === 0 ? what : `${what} (${notes.join(', ')})`),
    line: retransmission ? '.' : '-',
    below:
      sdp && session && !retransmission ? sdpLines(session).flatMap((line) => wrap(printable(line))) : [],
  };
}

function mediaEvents({ legs, messages, start_time }: CallReport): Event[] {
  const startMs = Date.parse(messages[0]?.at ?? start_time);
  return legs.flatMap(({ media, connection_id, start_time: legStart }) =>
    media?.seen
      ? [
          {
            atMs: Date.parse(legStart) - startMs + media.seen.at_ms,
            connectionId: connection_id,
            towardsUs: true,
            label: `media from ${printable(addressOf(media.seen))}`,
            line: '=' as const,
            below: [],
          },
        ]
      : [],
  );
}

/** Between words; what follows the first line stands a little to the right. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function addressOf({ address, port }: { address: string; port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
