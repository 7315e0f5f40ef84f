/** @file The pages that are made from the registries. */
import { FAMILIES, type Family } from '../src/attribution/method.ts';
import { AUTO_METHOD, explains, methods } from '../src/attribution/registry.ts';
import type { RegisteredMethod } from '../src/attribution/subject.ts';
import { describeOptions, type OptionRow } from '../src/cli/schema-flags.ts';
import { CATEGORIES, type Category, type MetricEntry } from '../src/evaluation/metrics/metric.ts';
import { metrics } from '../src/evaluation/metrics/registry.ts';
import { imageShifts, shifts, textShifts } from '../src/shifts/registry.ts';
import { suites } from '../src/shifts/suites/registry.ts';
import { type Scenario, scenarioKind } from '../src/shifts/suites/scenario.ts';

const cell = (text: string): string =>
  text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replace(/<([^>]*)>/g, '‹$1›');
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n');
const optionTable = (options: readonly OptionRow[]): string =>
  options.length
    ? `\n${table(
        ['option', 'default', 'meaning'],
        options.map(o => [`\`${o.flag}\``, o.default, o.help]),
      )}\n`
    : '';
const anchor = (name: string): string => `[\`${name}\`](#${name})`;

const FAMILY_WORDS: Record<Family, string> = {
  gradient: 'Gradients of the target with regard to pixels or token embeddings.',
  'layer-gradient': 'Gradients with regard to a hidden state: the blocks below it are run once, forward only.',
  attention: 'What the attention maps, and their gradients, say.',
  perturbation: 'The model as a black box: patches or words are removed. One set of masked pictures serves every caption.',
  interaction: 'What a patch and a word bring together, beyond what each brings by itself.',
  bottleneck: 'A noisy gate on a hidden layer, optimised to keep what image and caption share; the map is its cost in nats.',
  external: 'Maps that another tool made (`narrows compare --maps`).',
  control: 'Maps that know nothing of the pair, or nothing of the model: what any method must beat.',
};

function methodSection(entry: RegisteredMethod): string {
  const facts = [
    `explains ${explains(entry)}`,
    entry.modalities.join(' and '),
    `${entry.unit}${entry.signed ? ', signed' : ''}`,
    entry.sampled ? 'depends on the seed' : 'deterministic',
  ];
  return `### ${entry.name}\n\n**${entry.title}**${entry.name === AUTO_METHOD ? ' (`auto`)' : ''}: ${facts.join('; ')}. Cost: ${cell(entry.cost)}.\n\n${cell(entry.paper)}\n${optionTable(describeOptions(entry.schema))}`;
}

/** docs/methods.md */
export function methodsPage(): string {
  const parts = FAMILIES.flatMap(family => {
    const own = methods.filter(m => m.family === family);
    return own.length ? [`## ${family}\n\n${FAMILY_WORDS[family]}\n\n${own.map(methodSection).join('\n')}`] : [];
  });
  const rows = FAMILIES.flatMap(f => methods.filter(m => m.family === f)).map(m => [
    anchor(m.name),
    m.family,
    explains(m),
    m.modalities.join(', '),
    m.cost,
  ]);
  return `# Attribution methods

Made by \`npm run docs\` from the registry; do not edit. \`narrows attribute --method NAME\` runs one, \`narrows methods NAME\` describes it.
Every method explains any target: the cosine to the caption (default), \`--against\`, \`--labels\`, \`--templates\`, \`--target-image\`.
Those that explain answers explain the log-probability of a model's answer and of its words too ([answers.md](answers.md)).
Costs are in forward (F) and backward (B) passes through a tower. Which of them to trust is measured in [evidence](evidence/README.md).

${table(['method', 'family', 'explains', 'maps', 'cost'], rows)}

${parts.join('\n')}`;
}

const CATEGORY_WORDS: Record<Category, string> = {
  paper: "As the papers' own evaluations compute them, so that published numbers can be compared; each has a known weakness.",
  faithfulness: 'Does the map say what the model relies on? Patches or words are removed in the order of the map, or at random.',
  localisation: 'Does the map lie on the thing that is named? Needs a ground truth.',
  robustness: 'Does the map stay when nothing that matters changes?',
  randomisation: 'Does the map change when the model or the caption is another?',
  complexity: 'How concentrated is the map?',
  cost: 'What did the map cost?',
};
const DIRECTIONS = { higher: 'higher is better', lower: 'lower is better', none: 'neither is better' } as const;

const metricSection = (entry: MetricEntry): string =>
  `### ${entry.name}\n\n**${entry.title}**: ${entry.unit}, ${DIRECTIONS[entry.direction]}; judges maps of the ${entry.modalities.join(' and of the ')}. ${cell(entry.reading)}\n\nNeeds ${entry.needs.join(', ') || 'only the map'}. Source: ${cell(entry.source)}\n${optionTable(describeOptions(entry.schema))}`;

/** docs/metrics.md */
export function metricsPage(): string {
  const parts = CATEGORIES.flatMap(category => {
    const own = metrics.filter(m => m.category === category);
    return own.length ? [`## ${category}\n\n${CATEGORY_WORDS[category]}\n\n${own.map(metricSection).join('\n')}`] : [];
  });
  const rows = CATEGORIES.flatMap(c => metrics.filter(m => m.category === c)).map(m => [
    anchor(m.name),
    m.category,
    { higher: '↑', lower: '↓', none: '·' }[m.direction],
    m.reading,
  ]);
  return `# Metrics of attributions

Made by \`npm run docs\` from the registry; do not edit. \`narrows compare --metrics NAME\` computes one, \`narrows metrics NAME\` describes it.
A value that is not defined for a map (an order of a map whose values are all equal, say) is NaN: it is counted and never averaged in.

${table(['metric', 'category', '', 'how to read it'], rows)}

${parts.join('\n')}`;
}

/** How many scenarios of which kind. */
function kindsOf(scenarios: readonly Scenario[]): string {
  const kinds = scenarios.map(scenarioKind);
  return [...new Set(kinds)].map(kind => `${kinds.filter(k => k === kind).length} ${kind}`).join(', ');
}

/** docs/shifts.md */
export function shiftsPage(): string {
  const sources = [...new Set(shifts.map(s => s.source))];
  const note = (source: string) => String(sources.indexOf(source) + 1);
  const images = imageShifts.map(s => [`\`${s.name}\``, s.summary, s.constants, s.scaled || '·', s.random ? 'yes' : 'no', note(s.source)]);
  const texts = textShifts.map(s => [`\`${s.name}\``, s.summary, s.constants, note(s.source)]);
  return `# Shifts

Made by \`npm run docs\` from the registry; do not edit. Pictures are corrupted and texts perturbed in grades, to see what a model makes of
what it was not trained on. \`narrows shifts\` lists them, \`narrows shifts NAME\` describes one, and applies it to a picture, \`--text\`, a folder of
pictures or a file of questions (cli.md). In code: \`shiftImage(name, image, severity, { seed, sample, referenceSize })\` and
\`shiftText(name, text, rate, { seed, sample, protect })\` of \`narrows/shifts\`. Same name, severity, seed and sample give the same bytes.

![Every image shift at severities 1, 3 and 5 on a scene of 96 pixels](images/shifts.png)

## Pictures

Severities 1 to 5. Constants are the published ones; so is the cut (not rounding) to whole bytes at the end.

Lengths are published for pictures of about 224 pixels: on the 96-pixel scene above a disk of radius 10 leaves little. \`referenceSize: 224\`
(\`--reference-size 224\`) multiplies the lengths named in the column "scaled" by (shorter side / 224), so that a small picture looks as a
large one would. Without it they are pixels, whatever the picture's size. Say in a report which of the two it was.

${table(['shift', 'what it does', 'severity 1 to 5', 'scaled', 'random', 'source'], images)}

Deterministic shifts are tested against NumPy, SciPy, OpenCV, matplotlib and Pillow: pixelate and JPEG are equal byte for byte, the others up
to 1 in bytes that lie on a whole number before the cut.

Random ones have imagecorruptions' means and deviations of brightness, contrast, roughness and correlation over many draws.

The licence of the photographs that \`frost\` lays over the picture is not known, so they are not shipped: Narrows draws a texture of its own (a cloud, and feathers
that branch at 60°), as bright and rough as they are, and every result says so. \`--frost-textures DIR\` (\`frostTextures: await readFrostTextures(DIR)\`) takes
the photographs \`frost1.png\` to \`frost5.jpg\` as imagecorruptions does. Constants of rotate, downscale, aspect, crop and mirror are our own.

## Texts

The severity is the rate r, 1 to 7: p = 0.05 r. Words and marks are split and joined as nlpaug does it ("What's" comes back as "What ' s");
\`protect\` leaves strings such as \`<image>\` and the white space around them as they are, and they are not counted. Counts
follow nlpaug 1.1.11: shares are rounded up, and ocr misreads two letters of a word at least; with \`--nlpaug 1.1.7\` (\`nlpaug: '1.1.7'\`), the version
that MM_Robustness names, they are rounded down, one at least. As in nlpaug a draw that changes nothing is not made again: about half of all ocr
texts at rate 1 stay as they are, and swaps may undo each other. EDA's cleaning (word_swap, word_delete and the two synonym shifts) drops apostrophes and makes a space of all else but
letters: \`and/or\` is two words, "3.5 %" none; a text that has no such word at all stays as it is. How many tokens change, how often, is tested against 200 draws
of either version.

${table(['shift', 'what it does', 'rate r', 'source'], texts)}

Synonyms are WordNet 3.0's, of every sense and part of speech, found by NLTK's rules (\`wordnet/synonyms.json.gz\`, made by \`npm run wordnet\`): equal to EDA's for
the 9 984 words and forms that were compared, 79 of them in the tests. A cat may become a "true cat", a "guy" or "computed tomography", as published.

\`translation\` needs a translator and a language: \`--translations FILE --language Greek\` looks them up in JSON lines, \`{"text", "language", "translation"}\` (the text
without its protected parts) or \`{"question_id", "language", "text"}\`; in code a \`Translator\` is any \`(text, language, id?) => Promise<string>\`, \`chatTranslator\` makes one
of a model that chats, with Vittle's prompt (\`--endpoint URL --model-name NAME\` does), and \`shiftTextAsync\` waits for it. \`suffix: ANSWER_IN_ENGLISH\` (\`--suffix\`) ends it as EMI's questions end. The protected
answer instructions stay English.

## Suites

A suite is a list of scenarios: a shift of the pictures, of the texts, of both, or none. \`narrows shifts SUITE\` lists its scenarios, \`loadSuite(nameOrFile)\` reads one,
\`applyScenario(scenario, image, text, { seed, sample, textSample, protect })\` applies one, \`scenarioKey\` is what caches know it by. Both halves of a joint scenario draw by
themselves, so that it has the very texts of the textual one.

${table(
  ['suite', 'scenarios', 'whose choice', 'what it is'],
  suites.map(s => [`\`${s.name}\``, kindsOf(s.scenarios), s.marked, s.description]),
)}

One of your own is a JSON file; names may be left out, options are those of the shifts (\`referenceSize\`, \`compat\`; \`nlpaug\`, \`counts\`, \`language\`, \`suffix\`):

\`\`\`json
{
  "name": "rain-and-typos",
  "description": "What our cameras and our users do",
  "scenarios": [
    { "image": { "shift": "spatter", "severity": 2 } },
    { "text": { "shift": "keyboard", "severity": 3 } },
    { "name": "both", "image": { "shift": "spatter", "severity": 2 }, "text": { "shift": "keyboard", "severity": 3 } }
  ]
}
\`\`\`

## Another program's errors

MM_Robustness (Qiu et al., 2022), whose perturbations Vittle takes, changes more than it means to. \`--compat mm-robustness\` (\`compat: 'mm-robustness'\`), off by default, does the
same, for the sixteen corruptions that it runs, so that numbers can be compared:

- pictures are held as BGR: \`snow\` weighs blue as red, \`frost\`'s texture and \`jpeg_compression\`'s colours are exchanged;
- \`frost\` takes the upper left corner of a texture, and fails where that does not cover the picture;
- \`glass_blur\` moves the pixels of one row of the upper left 224 x 224: the loops' variables overwrite the sides that they count from;
- \`pixelate\` shrinks to a square of 224 times its share and exchanges width and height of the result;
- \`zoom_blur\` 5 goes on to 1.33 and takes the middle of what is a pixel too large; \`fog\` is always a part of 1024 x 1024;
- every result is saved as JPEG of quality 95.

Not made: its \`elastic_transform\` (ImageNet-C's with a turn and shear), ImageMagick's kernel in \`motion_blur\` and \`snow\` (results say so), its missing seeds, its filter of texts by a
model of sentences. Its texts' counts are \`--nlpaug 1.1.7\`.

## Sources

${sources.map((source, i) => `${i + 1}. ${cell(source)}`).join('\n')}
`;
}
