import { readFile } from 'node:fs/promises';

const guidePath = new URL('../data/sift-guide/recording-calls.txt', import.meta.url);

/** What the guide's code needs to know to run here. */
export interface GuideSettings {
  /** Of the application itself. */
  ownUrl: string;
  /** Of Callreel. */
  apiUrl: string;
  accountId: string;
  authToken: string;
}

/**
 * The guide's code, in the order of the page: the first line of each block, and how deep each of its lines stands. The
 * text has lost its indentation; what follows the conversation's retrieval belongs to the event's handler.
 */
const blocks: readonly { first: string; depths: readonly number[] }[] = [
  { first: 'from flask import Flask, request, jsonify', depths: [0, 0] },
  {
    first: "@app.route('/my_conference', methods=['POST'])",
    depths: [0, 0, 1, 1, 2, 3, 4, 4, 4, 4, 3, 2, 1, 1],
  },
  { first: "@app.route('/conference_event', methods=['POST'])", depths: [0, 0, 1, 1, 1, 2, 2, 2] },
  { first: "wav_url = conversation['audio']['wav_file']", depths: [2, 2] },
  { first: "for channel in conversation['channels']:", depths: [2, 3, 4, 4] },
  { first: "if conversation['audio']['snr'] < 3.0:", depths: [2, 3, 2, 3] },
  { first: "for channel in conversation['channels']:", depths: [2, 3, 4, 3, 4] },
];

export const mixFile = 'conversation.wav';
export const speakerFile = 'speaker.wav';

/** Everything that is changed in the guide's code; each stands in it exactly so often as here. */
function edits({ ownUrl, apiUrl, accountId, authToken }: GuideSettings): [from: string, to: string][] {
  return [
    // Imports that the page leaves out.
    [
      'from flask import Flask, request, jsonify\n',
      'from flask import Flask, request, jsonify\nimport requests\nimport urllib.request\n',
    ],
    // Host of the application.
    ['http://myserver.com/', `${ownUrl}/`],
    // Scheme, host and authentication of the API.
    ["requests.get('api.gridspace.com/v0/", `requests.get('${apiUrl}/v0/`],
    [
      "/conversations/' + conversation_id)",
      `/conversations/' + conversation_id, auth=('${accountId}', '${authToken}'))`,
    ],
    // Python 3's name of it, and a file where the page has a folder.
    ["urllib.retrieveurl(wav_url, '~/')", `urllib.request.urlretrieve(wav_url, '${mixFile}')`],
    [
      "urllib3.retrieveurl(channel['audio']['wav_file'], '/path/to/file/')",
      `urllib.request.urlretrieve(channel['audio']['wav_file'], '${speakerFile}')`,
    ],
    // Python 3's print.
    ["print 'The conversation was very noisy'", "print('The conversation was very noisy')"],
    ["print 'The conversation had lots of echo'", "print('The conversation had lots of echo')"],
    [
      "print 'connection ' + channel['connection_id'] + ' was very noisy'",
      "print('connection ' + channel['connection_id'] + ' was very noisy')",
    ],
    [
      "print 'connection ' + channel['connection_id'] + ' was very echoy'",
      "print('connection ' + channel['connection_id'] + ' was very echoy')",
    ],
  ];
}

/**
 * The guide's own Flask application.
 * @throws Error when the page holds a block or a line to edit elsewhere, or not at all
 */
export async function guideApplication(settings: GuideSettings): Promise<string> {
  const lines = (await readFile(guidePath, 'utf8')).split('\n');
  let at = 0;
  const code = blocks.map(({ first, depths }) => {
    at = lines.indexOf(first, at);
    if (at < 0) throw new Error(`the guide has no line ${first}`);
    const block = depths.map((depth) => '    '.repeat(depth) + lines[at++]);
    return `${block.join('\n')}\n`;
  });
  return edits(settings).reduce((text, [from, to]) => {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error(`${from} stands ${parts.length - 1} times in the guide's code`);
    return parts.join(to);
  }, code.join(''));
}
