/**
 * @file Rules on how files reach each other: only `src/node`, the command line and tests touch Node and its native packages; no core module
 * reaches `src/node` by any chain of imports; no file imports itself through others. Type-only imports vanish in the build: they may reach
 * anywhere, but must form no circle either.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Modules that only Node has. */
const NATIVE = /^(node:|sharp$|onnxruntime-node$|koffi$)/;
/** Rooms that may import them: the seam itself and what is only ever run by Node. */
const NODE_ROOMS = ['node', 'cli'];

/**
 * What must run in a browser, by path below `src`: a folder stands for all its files that are not named in `NODE_SIDE`. Whatever these
 * import, however deep, is held to the same rule.
 */
const CORE = [
  'system/',
  'tensor/',
  'graph/',
  'runtime/runtime.ts',
  'runtime/web.ts',
  'nn/',
  'optim/',
  'checkpoints/',
  'inputs/image/',
  'inputs/text/',
  'models/',
  'shifts/',
  'bottleneck/',
  'attribution/',
  'generation/chat-model.ts',
  'generation/chat-session.ts',
  'evaluation/metrics/',
  'evaluation/distances/',
  'report/attribution/',
  'studio/',
  'web/',
];

/** Adaptors for Node inside core rooms: they open directories, spawn threads or write files, and nothing of the core imports them. */
const NODE_SIDE = [
  // From names, paths and directories to what the core reads from `ModelFiles`.
  'attribution/save-statistics.ts',
  'bottleneck/gaussian/pretrained.ts',
  'checkpoints/disk.ts',
  'checkpoints/hub/',
  'inputs/text/disk.ts',
  'models/bundled.ts',
  'models/pretrained.ts',
  // Pictures: decoding, encoding, drawing SVG.
  'inputs/image/codec.ts',
  'inputs/image/decode.ts',
  'inputs/image/image-file.ts',
  'report/attribution/bound.ts',
  'report/attribution/raster.ts',
  'report/attribution/sharp-codec.ts',
  'shifts/apply.ts',
  'shifts/frost-textures.ts',
  'shifts/jpeg-codec.ts',
  'shifts/suites/apply-scenario.ts',
  'shifts/suites/load-suite.ts',
  'shifts/translations.ts',
  'shifts/wordnet.ts',
  // Names the file of its worker, which the bundler resolves.
  'studio/page/browser.tsx',
  // Files written.
  'checkpoints/peft.ts',
  'checkpoints/save.ts',
  'checkpoints/write.ts',
  'models/join-towers.ts',
  'models/save-pretrained.ts',
  'models/side-files.ts',
];

/**
 * Circles that may stay. The ops' circle: a derivative is made of ops again, so families of ops use each other (add's derivative sums,
 * sum's derivative broadcasts). All uses are inside functions that run after every module has been evaluated.
 */
const CIRCLES = ['graph/ops/'];

/** What only Node gives without an import. */
const GLOBALS = /(?<![.\w'-])(?:Buffer\s*[.(]|process\s*\.\s*(?!ts\b)|__dirname\b|__filename\b)|\bimport\.meta\b/;

const STATIC = /(?:^|\n)(?:import|export)\b(?!\s*\()([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)import\s*['"]([^'"]+)['"]/g;
const DYNAMIC = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)(\s*\.\s*[A-Z])?/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g;

const within = (list, file) => list.some(entry => file === entry || (entry.endsWith('/') && file.startsWith(entry)));

/** Modules that a file names, and those among them that it needs when it runs. */
function importsOf(plain) {
  const needed = [];
  const types = [];
  for (const [, clause, from, bare] of plain.matchAll(STATIC)) (/^\s*type\b/.test(clause ?? '') ? types : needed).push(from ?? bare);
  for (const [, type, from, member] of plain.matchAll(DYNAMIC)) (type || member ? types : needed).push(from);
  return { needed, all: [...needed, ...types] };
}

/** @param files absolute paths of all sources; @param isTest tells tests and their helpers; @returns sentences, one per offence */
export function seamProblems(root, files, isTest) {
  const source = join(root, 'src');
  const name = path => relative(source, path).split(sep).join('/');
  const runs = new Map();
  const names = new Map();
  const problems = [];
  for (const path of files) {
    if (isTest(path)) continue;
    const plain = readFileSync(path, 'utf8').replace(COMMENT, comment => comment.replace(/[^\n]/g, ' '));
    const { needed, all } = importsOf(plain);
    const room = name(path).split('/')[0];
    for (const target of all)
      if (NATIVE.test(target) && !NODE_ROOMS.includes(room))
        problems.push(`src/${name(path)}: imports ${target}; only src/node does, give it from above or use what src/node exports`);
    const [given] = GLOBALS.exec(plain) ?? [];
    if (given && within(CORE, name(path)) && !within(NODE_SIDE, name(path)))
      problems.push(`src/${name(path)}: the core must run without Node, but uses ${given}`);
    const local = targets => targets.filter(target => target.startsWith('.')).map(target => name(join(dirname(path), target)));
    runs.set(name(path), local(needed));
    names.set(name(path), local(all));
  }
  problems.push(...reaching(runs), ...circles(names));
  return problems;
}

/** The shortest chain from each core module into `src/node`, one per first step that is wrong. */
function reaching(graph) {
  const problems = [];
  for (const start of graph.keys()) {
    if (!within(CORE, start) || within(NODE_SIDE, start)) continue;
    const before = new Map([[start, undefined]]);
    const queue = [start];
    while (queue.length > 0) {
      const file = queue.shift();
      if (file.startsWith('node/') || within(NODE_SIDE, file)) {
        const chain = [];
        for (let at = file; at !== undefined; at = before.get(at)) chain.unshift(at);
        problems.push(`src/${start}: the core must run without Node, but ${chain.join(' -> ')}`);
        break;
      }
      for (const next of graph.get(file) ?? [])
        if (!before.has(next)) {
          before.set(next, file);
          queue.push(next);
        }
    }
  }
  return problems;
}

/** Groups of files that import each other in a circle (Tarjan's strongly connected components), each shown by one of its circles. */
function circles(graph) {
  const problems = [];
  const index = new Map();
  const low = new Map();
  const stack = [];
  const visit = file => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    const itself = group.length > 1 || (graph.get(file) ?? []).includes(file);
    if (itself && !CIRCLES.some(place => group.every(member => member.startsWith(place))))
      problems.push(`src/${[...group].sort().join(', src/')}: import each other in a circle (${circleIn(group, graph).join(' -> ')})`);
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return problems;
}

/** The shortest way from the group's first file back to itself. */
function circleIn(group, graph) {
  const start = [...group].sort()[0];
  const queue = [[start]];
  const seen = new Set();
  while (queue.length > 0) {
    const path = queue.shift();
    for (const next of graph.get(path.at(-1)) ?? []) {
      if (next === start) return [...path, start];
      if (group.includes(next) && !seen.has(next)) {
        seen.add(next);
        queue.push([...path, next]);
      }
    }
  }
  return group;
}
