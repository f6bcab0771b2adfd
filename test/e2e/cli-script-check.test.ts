import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CommandLine } from './command-line.ts';

const dir = makeTemporaryDir();
const callreel = new CommandLine(dir, { CALLREEL_DATA_DIR: join(dir, 'nothing') });
after(() => rmSync(dir, { recursive: true, force: true }));

describe('script check', { concurrency: 3 }, () => {
  const routine = JSON.stringify({ routine: [{ name: 'HangUp' }] });
  const files: [name: string, text: string, code: number, said: RegExp][] = [
    ['good.json', routine, 0, /^good.json: 1 commands/],
    ['list.yaml', '- name: HangUp\n- name: HangUp\n', 0, /^list.yaml: 2 commands/],
    [
      'empty-name.yaml',
      'routine:\n  - name: JoinConference\n    conference_name: ""\n',
      1,
      /DOCUMENT_INVALID: empty-name.yaml:3:22: routine\[0\].conference_name: /,
    ],
    [
      'unknown.json',
      '[\n  {"name": "HangUp"},\n  {"name": "Dance"}\n]',
      1,
      /unknown.json:3:12: routine\[1\].name/,
    ],
    ['missing.yaml', 'routine:\n  - name: HangUp\n  - name: JoinConference\n', 1, /missing.yaml:3:5: /],
    ['syntax.json', '{"routine": [\n  {"name": "HangUp"}\n', 1, /where: +syntax.json:\d+:\d+/],
    ['comma.json', '{"routine": [\n  {"name": "HangUp"},\n]}', 1, /where: +comma.json:3:1/],
    ['quotes', "{'routine': []}", 1, /quotes:1:2|where: +quotes:1:2/],
    ['yaml.json', 'routine: []\n', 1, /where: +yaml.json:1:1/],
    ['twice.json', '{"routine": 7, "routine": []}', 0, /^twice.json: 0 commands/],
    ['twice.yaml', 'routine: []\nroutine: []\n', 1, /where: +twice.yaml:2:1/],
    ['text.txt', 'hello', 1, /text.txt:1:1: /],
    [
      'swml.yaml',
      'version: 1.0.0\nsections:\n  main:\n    - record_call: {}\n',
      0,
      /^swml.yaml: a SWML document/,
    ],
    ['swml.json', '{"sections": {"main": [{"stop_call_record": {}}]}}', 0, /^swml.json: a SWML document/m],
    [
      'range.yaml',
      'sections:\n  main:\n    - answer: {}\n    - record_call:\n        input_sensitivity: 101\n    - dance: {}\n',
      1,
      /range.yaml:5:\d+: sections.main\[1\].record_call.input_sensitivity: .*\(relay_script_method_parameter_invalid_value\)\n +range.yaml:6:\d+: /,
    ],
    ['no-main.json', '{\n "sections": {}}', 1, /no-main.json:2:\d+: .*relay_script_main_section_missing/],
    [
      'broken.yaml',
      'version: 1.0.0\nsections:\n  main: [\n',
      1,
      /broken.yaml:\d+:\d+: .*relay_script_parse_error/,
    ],
    ['say.yaml', '- name: Say\n  text: "sections: none"\n', 0, /^say.yaml: 1 commands/],
    ['bomb.yaml', bomb(), 1, /aliases/],
  ];
  for (const [name, text, code, said] of files)
    test(name, async () => {
      writeFileSync(join(dir, name), text);
      const result = await callreel.run('script', 'check', name);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stdout + result.stderr, said);
    });
});

/** "Billion laughs": every line repeats the one before ten times. */
function bomb(): string {
  const lines = ['a0: &a0 [x]'];
  for (let level = 1; level < 10; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}
