/** The small changes that a mutation run makes to compiled code: each should make some test fail. */

import ts from 'typescript';

/**
 * One change of a file: the expression or statement from `start` up to `end` is replaced by another that stands in any place
 * where it stood. Offsets in UTF-16 units.
 */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** True outside any function: it can only be on while the file loads. */
  readonly atLoad: boolean;
  /** What is changed into what, in a few words. */
  readonly change: string;
  /** The name of the operator that made it. */
  readonly operator: 'comparison' | 'arithmetic' | 'condition' | 'logic' | 'negation' | 'boolean' | 'number' | 'block';
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '<': '<=', '<=': '<', '>': '>=', '>=': '>', '===': '!==', '!==': '===', '==': '!=', '!=': '==',
}; // prettier-ignore
const ARITHMETIC: Readonly<Record<string, string>> = {
  '+': '-', '-': '+', '*': '+', '/': '*', '%': '*', '<<': '>>>', '>>': '<<', '>>>': '<<', '&': '|', '|': '&', '^': '&',
}; // prettier-ignore
const LOGIC: Readonly<Record<string, string>> = { '&&': '||', '||': '&&', '??': '&&' };

/**
 * Names of bounds. Their exact value is no promise, and one more or less of what they bound is the same to a user: they are not
 * changed by one, and `<` of one is not made `<=`. That a bound is asked at all is tried: its condition is made true and false.
 */
const BOUND = /^(MOST|LONGEST|LARGEST|DEEPEST|MAX|MAXIMUM)(_|$)/;

/** Every mutant of a compiled file. Text, imports and messages are left alone: a changed sentence proves nothing. */
export function mutantsOf(text: string): Mutant[] {
  const file = ts.createSourceFile('mutated.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const found: Mutant[] = [];
  const add = (node: ts.Node, replacement: string, operator: Mutant['operator'], change?: string): void => {
    const short = node.getText(file).split('\n')[0] ?? '';
    const said = change ?? `${short} -> ${replacement}`;
    const atLoad = ts.findAncestor(node, ts.isFunctionLike) === undefined;
    found.push({ start: node.getStart(file), end: node.getEnd(), replacement, operator, atLoad, change: said });
  };
  const addSign = (node: ts.BinaryExpression, sign: string, operator: Mutant['operator']): void => {
    const [left, right] = [node.left.getText(file), node.right.getText(file)];
    const was = node.operatorToken.getText(file);
    add(node, `((${left}) ${sign} (${right}))`, operator, `${was} -> ${sign} in ${node.getText(file).split('\n')[0]}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (isWording(node)) return;
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && BOUND.test(node.name.text)) return;
    if (ts.isBinaryExpression(node)) {
      const sign = node.operatorToken.getText(file);
      const text = isText(node.left) || isText(node.right);
      const order = sign.startsWith('<') || sign.startsWith('>');
      const bound = order && (isBound(node.left) || isBound(node.right));
      if (COMPARISONS[sign] !== undefined) {
        if (!bound) addSign(node, COMPARISONS[sign], 'comparison');
      } else if (LOGIC[sign] !== undefined) addSign(node, LOGIC[sign], 'logic');
      else if (ARITHMETIC[sign] !== undefined && !text) addSign(node, ARITHMETIC[sign], 'arithmetic');
    } else if (ts.isIfStatement(node)) {
      add(node.expression, 'false', 'condition');
      add(node.expression, 'true', 'condition');
    } else if (ts.isConditionalExpression(node)) {
      add(node.condition, 'false', 'condition');
      add(node.condition, 'true', 'condition');
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      add(node, `(${node.operand.getText(file)})`, 'negation');
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      add(node, node.kind === ts.SyntaxKind.TrueKeyword ? 'false' : 'true', 'boolean');
    } else if (ts.isNumericLiteral(node) && !isOfTable(node) && !isDemanded(node)) {
      add(node, `(${node.getText(file)} + 1)`, 'number');
    } else if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      add(node, ';', 'block');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** True for a key or a value of a table: what such a number says is compared with nothing in the code. */
function isOfTable(node: ts.NumericLiteral): boolean {
  return ts.isPropertyAssignment(node.parent) || ts.isBindingElement(node.parent);
}

function isBound(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && BOUND.test(node.text);
}

/** A choice between two pieces of a sentence, as that of a plural: what is chosen by is no behaviour but wording. */
function isWording(node: ts.Node): boolean {
  return (
    ts.isConditionalExpression(node) &&
    ts.isTemplateSpan(node.parent) &&
    isText(node.whenTrue) &&
    isText(node.whenFalse)
  );
}

/**
 * The 0 of `bytes[at] ?? 0`, which strict types demand of every indexed read: where the index is in range, as it is nearly
 * everywhere, no other number there makes a difference that a test could see.
 */
function isDemanded(node: ts.Node): boolean {
  const { parent } = node;
  return (
    ts.isBinaryExpression(parent) &&
    parent.right === node &&
    parent.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken &&
    ts.isElementAccessExpression(parent.left)
  );
}

function isText(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** The file with one change made. */
export function applied(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Where the number of the change that is on stands, among the globals of a process that loads switched files. */
export const SWITCH = '__dumpleakMutant';

/** A change and the number that turns it on. */
export interface Switched {
  readonly id: number;
  readonly mutant: Mutant;
}

/** The file with all of `changes` in it, each made only while the switch has its number: one load serves them all. */
export function switched(text: string, changes: readonly Switched[]): string {
  const sorted = [...changes].sort((a, b) => a.mutant.start - b.mutant.start || b.mutant.end - a.mutant.end);
  const render = (start: number, end: number, inside: readonly Switched[]): string => {
    const [first, ...others] = inside;
    if (first === undefined) return text.slice(start, end);
    const { id, mutant } = first;
    const within = others.filter((other) => other.mutant.start < mutant.end);
    const after = others.filter((other) => other.mutant.start >= mutant.end);
    const usual = render(mutant.start, mutant.end, within);
    const on = `globalThis.${SWITCH} === ${id}`;
    const both =
      mutant.operator === 'block' ? `if (!(${on})) { ${usual} }` : `(${on} ? ${mutant.replacement} : (${usual}))`;
    return text.slice(start, mutant.start) + both + render(mutant.end, end, after);
  };
  return render(0, text.length, sorted);
}
