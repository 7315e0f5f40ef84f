/** @file Deliberate errors for a file: each a small change of the code that a test should see. */
import { parseSync } from 'oxc-parser';

/** A change of the text at [start, end). */
export interface Mutant {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What is changed, in words. */
  readonly kind: string;
  /** Whether it changes a number, which in a drawing is a matter of taste. */
  readonly number?: boolean;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const OPERATORS: Readonly<Record<string, string>> = {
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '**': '*' },
  ...{ '<': '>=', '>': '<=', '<=': '>', '>=': '<', '===': '!==', '!==': '===' },
  ...{ '&&': '||', '||': '&&' },
};
const ASSIGNMENTS: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' };
/** Names whose exchange crosses two things that look alike. */
const CROSSED = [
  ...[
    ['image', 'text'],
    ['low', 'high'],
    ['insertion', 'deletion'],
    ['forward', 'backward'],
    ['rows', 'columns'],
  ],
  ...[
    ['width', 'height'],
    ['left', 'top'],
    ['higher', 'lower'],
    ['best', 'worst'],
    ['min', 'max'],
    ['mean', 'deviation'],
  ],
  ...[
    ['start', 'end'],
    ['first', 'last'],
    ['fit', 'compression'],
    ['floor', 'ceil'],
  ],
] as const;
const crossed = new Map<string, string>(CROSSED.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
/** Parts of the tree that hold no behaviour. */
const SKIPPED = /^(TS(?!AsExpression|NonNullExpression|SatisfiesExpression)|ImportDeclaration|ExportAllDeclaration)/;

/** All mutants of a TypeScript file. Texts for people (templates, messages, descriptions) and types are left alone. */
export function mutantsOf(path: string, code: string): Mutant[] {
  const { program, errors } = parseSync(path, code);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const found: Mutant[] = [];
  const add = (start: number, end: number, text: string, kind: string, number = false): void =>
    void found.push({ start, end, text, kind, ...(number && { number }) });
  const operatorAt = (from: number, to: number, operator: string): number => code.slice(from, to).indexOf(operator) + from;
  const visit = (node: Node, parent?: Node, key?: string): void => {
    if (SKIPPED.test(node.type)) return;
    const { type, start, end } = node;
    // What is thrown is for people: its sentence and its kind.
    if (type === 'ThrowStatement') return;
    const side = (name: string): Node => node[name] as Node;
    if (type === 'BinaryExpression' || type === 'LogicalExpression') {
      const operator = node.operator as string;
      const other = OPERATORS[operator];
      const text = (n: Node) => n.type === 'TemplateLiteral' || (n.type === 'Literal' && typeof n.value === 'string');
      const at = operatorAt(side('left').end, side('right').start, operator);
      if (other && !(operator === '+' && (text(side('left')) || text(side('right')))))
        add(at, at + operator.length, other, `${operator} to ${other}`);
    } else if (type === 'AssignmentExpression' && ASSIGNMENTS[node.operator as string]) {
      const operator = node.operator as string;
      const at = operatorAt(side('left').end, side('right').start, operator);
      add(at, at + operator.length, ASSIGNMENTS[operator], `${operator} to ${ASSIGNMENTS[operator]}`);
    } else if (type === 'UnaryExpression' && (node.operator === '!' || node.operator === '-')) {
      add(start, start + 1, '', `${node.operator} left out`);
    } else if (type === 'ConditionalExpression') {
      const [yes, no] = [side('consequent'), side('alternate')];
      const between = code.slice(yes.end, no.start);
      add(yes.start, no.end, `${code.slice(no.start, no.end)}${between}${code.slice(yes.start, yes.end)}`, 'branches exchanged');
    } else if (type === 'Literal' && typeof node.value === 'number') {
      const value = node.value as number;
      if (key !== 'key')
        add(start, end, Number.isInteger(value) ? String(value === 0 ? 1 : value + 1) : String(value * 1.1), `${value} changed`, true);
    } else if (type === 'Literal' && typeof node.value === 'string') {
      const other = crossed.get(node.value as string);
      if (other && parent?.type !== 'ImportDeclaration') add(start + 1, end - 1, other, `'${node.value}' to '${other}'`);
    } else if (type === 'MemberExpression' && !node.computed) {
      const property = side('property');
      const other = crossed.get(property.name as string);
      if (other) add(property.start, property.end, other, `.${property.name} to .${other}`);
    } else if (
      type === 'IfStatement' &&
      !node.alternate &&
      /^(ReturnStatement|ContinueStatement|BlockStatement|ExpressionStatement)$/.test(side('consequent').type)
    ) {
      const test = side('test');
      // Guards that refuse bad input are tested by their messages; here the others.
      if (!/throw |NarrowsError|fail\(/.test(code.slice(start, end))) add(test.start, test.end, 'false', 'condition never true');
    }
    for (const [name, value] of Object.entries(node)) {
      if (name === 'parent') continue;
      const children = Array.isArray(value) ? value : [value];
      for (const child of children)
        if (child && typeof child === 'object' && typeof (child as Node).type === 'string') visit(child as Node, node, name);
    }
  };
  visit(program as unknown as Node);
  return found;
}
