/** @file A rule of the house: files say what they are, every export has a docstring and a name of its own. */
import { relative } from 'node:path';

const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;

/** One sentence per missing header or docstring, and for a default export. */
export function exportProblems(root, path, text) {
  const name = relative(root, path);
  const lineAt = index => text.slice(0, index).split('\n').length;
  const problems = [];
  if (!/^(#![^\n]*\n)?\/\*\*\s+(\*\s+)?@file\b/.test(text)) problems.push(`${name}: does not begin with /** @file ... */`);
  const seen = new Set();
  for (const match of text.matchAll(EXPORT)) {
    const exported = match[1];
    // Overloads: the first one is documented.
    if (seen.has(exported)) continue;
    seen.add(exported);
    let before = text.slice(0, match.index).trimEnd();
    // Lint directives stand between a docstring and its declaration.
    while (/(?:^|\n)\/\/ (?:biome-ignore|@ts-)[^\n]*$/.test(before)) before = before.slice(0, before.lastIndexOf('\n//')).trimEnd();
    const documented = before.endsWith('*/') && !/@file\b/.test(before.slice(before.lastIndexOf('/**')));
    if (!documented) problems.push(`${name}:${lineAt(match.index)}: the export ${exported} has no docstring`);
  }
  const other = /^export default\b|^export \{[^}]*\bas default\b/m.exec(text);
  if (other) problems.push(`${name}:${lineAt(other.index)}: a default export; give it a name`);
  return problems;
}
