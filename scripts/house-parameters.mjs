/** @file A rule of the house: nothing takes more than six parameters, functions, methods, constructors and types of functions alike. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseSync } from 'oxc-parser';

const MOST = 6;

/** Parameters of a node of the syntax tree that has them; `this` does not count. */
function parametersOf(node) {
  const { params } = node;
  const list = Array.isArray(params) ? params : Array.isArray(params?.items) ? params.items : [];
  return list.filter(each => each.type !== 'Identifier' || each.name !== 'this').length;
}

/** Functions of a source text with more than six parameters, as [offset, name, count]. */
export function longLists(path, text) {
  const out = [];
  const visit = (node, name) => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each, name);
      return;
    }
    if (node === null || typeof node !== 'object') return;
    const here = node.id?.name ?? node.key?.name ?? name;
    if (typeof node.type === 'string' && /Function|Signature|TSConstructorType|TSEmptyBody/.test(node.type)) {
      const count = parametersOf(node);
      if (count > MOST) out.push([node.start, here, count]);
    }
    for (const [key, child] of Object.entries(node)) if (key !== 'type') visit(child, here);
  };
  visit(parseSync(path, text).program, 'a function');
  return out;
}

/** One sentence per offender; tests are held to it too. */
export function parameterProblems(root, files) {
  return files.flatMap(path => {
    const text = readFileSync(path, 'utf8');
    return longLists(path, text).map(
      ([at, name, count]) =>
        `${relative(root, path)}:${text.slice(0, at).split('\n').length}: ${name} takes ${count} parameters; ${MOST} are the most, pass an object with named fields`,
    );
  });
}
