/** The vendor's codes of what a calling document may get wrong (SWML reference, "Errors", "Calling errors"). */
export const scriptErrorCodes = [
  'relay_script_parse_error',
  'relay_script_parse_internal_error',
  'relay_script_version_invalid',
  'relay_script_sections_missing',
  'relay_script_main_section_missing',
  'relay_script_section_code_missing',
  'relay_script_section_parameter_undefined',
  'relay_script_element_undefined',
  'relay_script_element_wrong_type',
  'relay_script_element_invalid_value',
  'relay_script_element_duplicated',
  'relay_script_method_missing_name',
  'relay_script_method_undefined',
  'relay_script_method_parameter_missing',
  'relay_script_method_parameter_invalid_value',
  'relay_script_method_parameter_undefined',
  'relay_script_method_parameter_conflict',
  'relay_script_method_no_matching_condition',
  'relay_script_method_execute_failed',
  'relay_script_voice_unresolved',
  'relay_script_js_eval_error',
  'relay_script_nested_too_deep',
  'relay_script_too_many_transfers',
  'relay_script_internal_error',
] as const;

export type ScriptErrorCode = (typeof scriptErrorCodes)[number];

const maxMessageCharacters = 500;
const maxKeyCharacters = 100;

/** Names in a message are as long as who wrote the document made them. */
export function shortened(message: string): string {
  return message.length <= maxMessageCharacters ? message : `${message.slice(0, maxMessageCharacters)}...`;
}

/** From the document's top: `['sections', 'main', 2, 'play', 'volume']`. */
export type Path = readonly (string | number)[];

/** `sections.main[2].play.volume` */
export function formatPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? key : key.slice(0, maxKeyCharacters)))
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

export interface Place {
  /** From 1; 0 for a document that came as an object. */
  line: number;
  column: number;
}

/** What ends a script, or makes a document one that can't be run. It stays within this folder. */
export class ScriptError extends Error {
  readonly code: ScriptErrorCode;
  readonly path: Path | undefined;
  /** In its document; told by whoever knows that. */
  place: Place | undefined;

  constructor(code: ScriptErrorCode, message: string, path?: Path) {
    super(shortened(message));
    this.name = 'ScriptError';
    this.code = code;
    this.path = path;
  }

  /** This error, at a place where it does not know its own. */
  at(path: Path): ScriptError {
    return this.path ? this : new ScriptError(this.code, this.message, path);
  }
}

/** One mistake of a document, for who wrote it. */
export interface Problem {
  /** A warning changes less than the document says, and stops nothing. */
  severity: 'error' | 'warning';
  code: ScriptErrorCode;
  message: string;
  /** What to do about it. */
  todo: string;
  /** `sections.main[2].play.volume`; empty where the text itself can't be read. */
  path: string;
  /** From 1; 0 for a document that came as an object. */
  line: number;
  column: number;
}

export const todoOf: Readonly<Record<ScriptErrorCode, string>> = {
  relay_script_parse_error: 'Correct the JSON or YAML at this place.',
  relay_script_parse_internal_error: 'Write the document as plain JSON and try again.',
  relay_script_version_invalid: 'Write `version: 1.0.0`.',
  relay_script_sections_missing: 'Put the steps into `sections.main`.',
  relay_script_main_section_missing: 'Add the section `main`; it is the one that runs first.',
  relay_script_section_code_missing: 'Give the section a step, or leave it out.',
  relay_script_section_parameter_undefined: 'Name a section of this document, or give an http(s) URL.',
  relay_script_element_undefined: 'Leave it out; only `version` and `sections` stand at the top.',
  relay_script_element_wrong_type: 'Give a value of the kind that belongs here.',
  relay_script_element_invalid_value: 'Correct the value.',
  relay_script_element_duplicated: 'Keep one of the two.',
  relay_script_method_missing_name: 'Write each step as one method and its parameters: `- answer: {}`.',
  relay_script_method_undefined: 'Use a method that docs/dialects/swml.md lists.',
  relay_script_method_parameter_missing: 'Add the parameter.',
  relay_script_method_parameter_invalid_value: 'Give a value of the range or list that is named.',
  relay_script_method_parameter_undefined: 'Leave the parameter out, or correct its name.',
  relay_script_method_parameter_conflict: 'Keep one of the parameters that exclude each other.',
  relay_script_method_no_matching_condition: 'Add a `default`.',
  relay_script_method_execute_failed: 'See the message for the cause.',
  relay_script_voice_unresolved: 'Name a voice that the speech engine has.',
  relay_script_js_eval_error:
    'Correct the expression; docs/dialects/swml.md says which JavaScript is understood.',
  relay_script_nested_too_deep:
    'Nest less: use sections and `execute`, and let no section execute itself without end.',
  relay_script_too_many_transfers: 'Let the chain of `transfer` end.',
  relay_script_internal_error: 'Report it with the log lines of that moment.',
};
