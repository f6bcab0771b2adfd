/** Who calls in the demo, in which language, and what makes each call different. */
export interface Caller {
  number: string;
  name: string;
  speech: 'english' | 'french' | 'italian' | 'spanish';
  /** Where in the speech the caller begins, in seconds: the four do not say the same sentence at the same time. */
  fromSecond: number;
  transport: 'udp' | 'tcp';
  /** Presses the leave key in the middle and joins again in the same call. */
  rejoins: boolean;
  /** Joins with `do_record: false`. */
  optedOut: boolean;
}

export const callers: readonly Caller[] = [
  {
    number: '+15558881188',
    name: 'Alice',
    speech: 'english',
    fromSecond: 0,
    transport: 'udp',
    rejoins: false,
    optedOut: false,
  },
  {
    number: '+15558881189',
    name: 'Brigitte',
    speech: 'french',
    fromSecond: 3,
    transport: 'tcp',
    rejoins: true,
    optedOut: false,
  },
  {
    number: '+15558881190',
    name: 'Carlo',
    speech: 'italian',
    fromSecond: 6,
    transport: 'udp',
    rejoins: false,
    optedOut: false,
  },
  {
    number: '+15558881191',
    name: 'Dolores',
    speech: 'spanish',
    fromSecond: 9,
    transport: 'udp',
    rejoins: false,
    optedOut: true,
  },
];

export const talkSeconds = 8;
export const conferenceName = 'my_conference';
export const leaveKey = '*';
