import ts from 'typescript';

/** One place that counts how often it was passed. */
export interface CoveragePoint {
  file: string;
  line: number;
  kind: 'function' | 'branch';
}

/** Name of the global array that holds the counts. */
export const hitsName = '__fuzzHits';

/**
 * Puts a counter at the beginning of each function and each branch of a TypeScript source. Nothing else changes, and
 * every line stays where it was.
 * @param points gets the places; a place's index is its counter's
 */
export function instrument(source: string, file: string, points: CoveragePoint[]): string {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  let code = '';
  let written = 0;

  const insert = (position: number, text: string): void => {
    code += source.slice(written, position) + text;
    written = position;
  };
  const count = (node: ts.Node, kind: CoveragePoint['kind']): string => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
    points.push({ file, line, kind });
    return `${hitsName}[${points.length - 1}]++`;
  };
  const visit = (node: ts.Node): void => {
    const kind = kindOf(node);
    const isBlock = kind !== undefined && ts.isBlock(node);
    const isStatement = kind !== undefined && !isBlock && !ts.isExpression(node);
    if (isBlock) insert(node.getStart(tree) + 1, `${count(node, kind)};`);
    else if (isStatement) insert(node.getStart(tree), `{${count(node, kind)};`);
    else if (kind !== undefined) insert(node.getStart(tree), `(${count(node, kind)},`);
    else if (followsBranch(node)) insert(node.getStart(tree), `${count(node, 'branch')};`);
    ts.forEachChild(node, visit);
    if (isStatement) insert(node.getEnd(), '}');
    else if (kind !== undefined && !isBlock) insert(node.getEnd(), ')');
  };
  visit(tree);
  return code + source.slice(written);
}

/** What stands here is run only sometimes: as a block, a single statement or an expression. */
function kindOf(node: ts.Node): CoveragePoint['kind'] | undefined {
  const { parent } = node;
  if (!parent) return undefined;
  if (ts.isFunctionLike(parent)) return 'body' in parent && parent.body === node ? 'function' : undefined;
  if (ts.isIfStatement(parent)) return node === parent.expression ? undefined : 'branch';
  if (ts.isIterationStatement(parent, false)) return node === parent.statement ? 'branch' : undefined;
  if (ts.isCatchClause(parent)) return node === parent.block ? 'branch' : undefined;
  return isChosen(node, parent) ? 'branch' : undefined;
}

/** A part of an expression that is not always evaluated. */
function isChosen(node: ts.Node, parent: ts.Node): boolean {
  if (ts.isConditionalExpression(parent)) return node !== parent.condition && ts.isExpression(node);
  return ts.isBinaryExpression(parent) && node === parent.right && isShortCircuit(parent.operatorToken.kind);
}

function isShortCircuit(operator: ts.SyntaxKind): boolean {
  return (
    operator === ts.SyntaxKind.AmpersandAmpersandToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    operator === ts.SyntaxKind.QuestionQuestionToken
  );
}

/** The first statement of a case, or one behind an `if` without `else`: that the `if` did not return counts too. */
function followsBranch(node: ts.Node): boolean {
  const { parent } = node;
  if (!parent || !ts.isStatement(node)) return false;
  if (ts.isCaseOrDefaultClause(parent)) return parent.statements[0] === node;
  if (!ts.isBlock(parent)) return false;
  const before = parent.statements[parent.statements.indexOf(node) - 1];
  return before !== undefined && ts.isIfStatement(before) && before.elseStatement === undefined;
}
