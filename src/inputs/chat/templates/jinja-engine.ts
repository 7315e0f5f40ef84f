/** @file Jinja templates as Jinja2 renders them: line ends of any system, and values printed as Python prints them. */
import { Template } from '@huggingface/jinja';

/** Renders a template with variables. */
export type RenderJinja = (variables: Readonly<Record<string, unknown>>) => string;

/** A value while a template runs (classes that the library does not export). */
interface Value {
  readonly type: string;
  readonly value: unknown;
}
/** A node of a parsed template. */
type Node = Record<string, unknown> & { readonly type: string };

const PRINT = '__narrows_print';
const JOIN = '__narrows_join';
const RANGE = '__narrows_range';
/** Where statements stand whose value is printed. */
const BLOCKS = new Set(['body', 'alternate', 'defaultBlock']);
/** What prints nothing of its own. */
const STATEMENTS = new Set(['Set', 'If', 'For', 'Macro', 'CallStatement', 'FilterStatement', 'Break', 'Continue', 'Comment', 'Program']);

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Python's `repr` of a text. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const named: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', [quote]: `\\${quote}` };
  let out = '';
  for (const c of text) {
    const code = c.codePointAt(0) as number;
    if (named[c] !== undefined) out += named[c];
    else if (!/[\p{C}\p{Z}]/u.test(c) || c === ' ') out += c;
    else if (code < 0x100) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return `${quote}${out}${quote}`;
}

/** Python's `repr` of a float. */
function float(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, power] = value.toExponential().split('e');
    return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** Python's `str` of a value, or its `repr` where it stands inside of another. */
function printed({ type, value }: Value, inside = false): string {
  switch (type) {
    case 'StringValue':
      return inside ? quoted(value as string) : (value as string);
    case 'BooleanValue':
      return value ? 'True' : 'False';
    case 'NullValue':
      return 'None';
    case 'UndefinedValue':
      return inside ? 'Undefined' : '';
    case 'FloatValue':
      return float(value as number);
    case 'ArrayValue':
    case 'TupleValue': {
      const items = (value as readonly Value[]).map(item => printed(item, true));
      if (type === 'ArrayValue') return `[${items.join(', ')}]`;
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
    }
    case 'ObjectValue':
    case 'KeywordArgumentsValue':
      return `{${[...(value as ReadonlyMap<string, Value>)].map(([key, item]) => `${quoted(key)}: ${printed(item, true)}`).join(', ')}}`;
    default:
      return String(value);
  }
}

/** A call of a helper. Its values are given as a list, in which they keep their types: 1.0 is no 1. */
const call = (name: string, values: readonly unknown[], named: readonly unknown[] = []): Node => ({
  type: 'CallExpression',
  callee: { type: 'Identifier', value: name },
  args: [{ type: 'ArrayLiteral', value: values }, ...named],
});
const isNamed = (node: unknown): boolean => isNode(node) && node.type === 'KeywordArgumentExpression';
/** Name of the filter of a filter expression, and its arguments. */
function filterOf(node: Node): { name?: unknown; args: readonly unknown[] } {
  const filter = node.filter as Node;
  if (filter.type === 'Identifier') return { name: filter.value, args: [] };
  const { callee, args } = filter as unknown as { callee: Node; args: readonly unknown[] };
  return { name: callee?.value, args: args ?? [] };
}

/** Whether what stands there is a word and no variable: the `b` of `a.b`. (Names of arguments are renamed in macros and calls alike.) */
const isLabel = (node: Node, key: string): boolean => node.type === 'MemberExpression' && key === 'property' && node.computed !== true;

/** The tree with every place that turns a value into text going through Python's `str`. */
function rewritten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewritten);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [rewritten(key), rewritten(item)]));
  if (!isNode(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const next = isLabel(value, key) ? item : rewritten(item);
    const block = BLOCKS.has(key) && Array.isArray(next);
    out[key] = block
      ? next.map((one: Node) => (STATEMENTS.has(one.type) || one.type === 'StringLiteral' ? one : call(PRINT, [one])))
      : next;
  }
  const node = out as Node;
  // Wherever it stands: `{% set r = range %}` hands it on.
  if (node.type === 'Identifier' && node.value === 'range') return { ...node, value: RANGE };
  if (node.type === 'BinaryExpression' && (node.operator as { value?: unknown }).value === '~')
    return { ...node, left: call(PRINT, [node.left]), right: call(PRINT, [node.right]) };
  if (node.type === 'FilterExpression') {
    const { name, args } = filterOf(node);
    if (name === 'string' && args.length === 0) return call(PRINT, [node.operand]);
    if (name === 'join')
      return call(
        JOIN,
        [node.operand, ...args.filter(arg => !isNamed(arg))],
        args.filter(arg => isNamed(arg)),
      );
  }
  return node;
}

const UNDEFINED: Value = { type: 'UndefinedValue', value: undefined };
const memberOf = ({ value }: Value, name: string): Value => (value instanceof Map ? ((value.get(name) as Value) ?? UNDEFINED) : UNDEFINED);
function itemsOf({ type, value }: Value): readonly Value[] {
  if (Array.isArray(value)) return value as Value[];
  if (typeof value === 'string') return [...value].map(c => ({ type: 'StringValue', value: c }));
  if (value instanceof Map) return [...value.keys()].map(key => ({ type: 'StringValue', value: key }));
  throw new Error(`Cannot apply filter "join" to type: ${type}`);
}

/** Jinja's `join(d='', attribute=none)`. Arguments come as values; named ones as a map behind them. */
function join([value, separator]: readonly Value[], named?: ReadonlyMap<string, Value>): string {
  const between = separator ?? named?.get('d') ?? named?.get('separator');
  const attribute = named?.get('attribute')?.value as string | undefined;
  const shown = itemsOf(value).map(item => printed(attribute === undefined ? item : memberOf(item, attribute)));
  return shown.join(between ? printed(between) : '');
}

/** Jinja2's sandbox, in which transformers renders templates, refuses longer ones (`MAX_RANGE`). */
const LONGEST_RANGE = 100_000;

/** Jinja's `range`, no longer than the sandbox allows: a list of a billion numbers fills the memory before anything is printed. */
function range(first: number, second?: number | null, step: number | null = 1): number[] {
  const [start, stop] = second === undefined || second === null ? [0, first] : [first, second];
  const by = step ?? 1;
  if (by === 0) throw new Error('range() step must not be zero');
  const length = Math.max(0, Math.ceil((stop - start) / by));
  if (length > LONGEST_RANGE) throw new Error(`Range too big: ${length} numbers; templates may count to ${LONGEST_RANGE} at most`);
  return Array.from({ length }, (_, i) => start + i * by);
}

/**
 * Parses a template. Line ends of it become `\n` first, as in Jinja2's lexer, whichever file it stood in; blocks are trimmed as
 * transformers asks for (`trim_blocks`, `lstrip_blocks`), and a line end at the very end is dropped.
 * @throws Error of the library where the template is not Jinja
 */
export function compileJinja(source: string): RenderJinja {
  const template = new Template(source.replace(/\r\n?/g, '\n'));
  template.parsed = rewritten(template.parsed) as typeof template.parsed;
  const helpers = { [PRINT]: ([value]: readonly Value[]): string => printed(value), [JOIN]: join, [RANGE]: range };
  return variables => template.render({ ...variables, ...helpers });
}
