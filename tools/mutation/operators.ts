/** The small changes that a mutation run makes to compiled code: each should make some test fail. */

import ts from 'typescript';

/** One change of a file: the text from `start` up to `end` is replaced. Offsets in UTF-16 units. */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
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

/** Every mutant of a compiled file. Text, imports and messages are left alone: a changed sentence proves nothing. */
export function mutantsOf(text: string): Mutant[] {
  const file = ts.createSourceFile('mutated.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const found: Mutant[] = [];
  const add = (node: ts.Node, replacement: string, operator: Mutant['operator']): void => {
    found.push({ start: node.getStart(file), end: node.getEnd(), replacement, operator });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const sign = node.operatorToken.getText(file);
      const text = isText(node.left) || isText(node.right);
      if (COMPARISONS[sign] !== undefined) add(node.operatorToken, COMPARISONS[sign], 'comparison');
      else if (LOGIC[sign] !== undefined) add(node.operatorToken, LOGIC[sign], 'logic');
      else if (ARITHMETIC[sign] !== undefined && !text) add(node.operatorToken, ARITHMETIC[sign], 'arithmetic');
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
    } else if (ts.isNumericLiteral(node) && !ts.isPropertyAssignment(node.parent) && !isDemanded(node)) {
      add(node, `(${node.getText(file)} + 1)`, 'number');
    } else if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      add(node, ';', 'block');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
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
