/**
 * @file What the page may ask of a backend. Each request crosses a boundary (HTTP, or a worker's message) and is checked there by its schema;
 * texts and lists have an upper bound, so that no request is larger than what a person could mean.
 */
import { z } from 'zod';
import { ANSWER_PARTS } from '../attribution/answers/answer-targets.ts';
import { PICTURE_ID } from './picture-id.ts';

/** Longest caption, question or other target, in UTF-16 code units. */
export const LONGEST_TEXT = 10_000;
/** Methods side by side. */
export const MOST_METHODS = 4;

const text = z.string().min(1).max(LONGEST_TEXT);
/** See picture-id.ts: the same in every backend, so that a permalink finds the picture again. */
const pictureId = z.string().regex(PICTURE_ID);
/** A name that a backend gave: of a model, a result, an audit, a source. */
const name = z.string().min(1).max(1000);
const whole = z.number().int();

/** Opens a model: the name of a shipped or cached one, a folder's path, `org/name[@revision]`, or (in the browser) an address. */
export const openRequest = z.strictObject({ reference: name });
/** See `openRequest`. */
export type OpenRequest = z.infer<typeof openRequest>;

/** A method and those of its options that differ from the defaults; its own schema checks them. */
export const methodChoice = z.strictObject({ name, options: z.record(z.string(), z.unknown()).default({}) });
/** See `methodChoice`. */
export type MethodChoice = z.infer<typeof methodChoice>;

/** What is explained in place of the cosine to the caption: one of these at most (`TargetSpec` of the library). */
export const targetChoice = z
  .strictObject({
    against: text.optional(),
    labels: z.array(text).min(1).max(1000).optional(),
    templates: z.array(text).min(1).max(1000).optional(),
    /** Another picture. */
    picture: pictureId.optional(),
  })
  .refine(given => Object.values(given).filter(v => v !== undefined).length <= 1, 'one target is explained at a time');
/** See `targetChoice`. */
export type TargetChoice = z.infer<typeof targetChoice>;

/** Of a model that answers: which answer is explained, and in what parts. */
export const answerChoice = z.strictObject({
  /** The model's own by default. */
  text: text.optional(),
  /** A map for each of them, beside the whole answer's. */
  parts: z.enum(ANSWER_PARTS).default('word'),
  /** Turns of the conversation before the question. They are left out, and the result says so. */
  turnsBefore: whole.min(0).max(200).default(0),
});
/** With defaults filled in. */
export type AnswerChoice = z.infer<typeof answerChoice>;

/** Explains one picture and caption (for a model that answers: a question) by one to four methods, in their order. */
export const attributeRequest = z.strictObject({
  /** `ModelInfo.id` of a model that was opened. */
  model: name,
  picture: pictureId,
  text,
  methods: z.array(methodChoice).min(1).max(MOST_METHODS),
  modality: z.enum(['both', 'image', 'text']).default('both'),
  seed: whole
    .min(0)
    .max(2 ** 31)
    .default(0),
  seeds: whole.min(1).max(32).default(1),
  /** Pixels of the model's view, for models that interpolate their positions. */
  imageSize: whole.min(1).max(4096).optional(),
  target: targetChoice.default({}),
  /** For a model that answers, where it is another than the model's own answer, word by word. */
  answer: answerChoice.optional(),
  /** Frames of methods that optimise. */
  frames: z.boolean().default(true),
});
/** With defaults filled in. */
export type AttributeRequest = z.infer<typeof attributeRequest>;
/** As the page may write it: what has a default may be left out. */
export type AttributeInput = z.input<typeof attributeRequest>;

/** A rectangle in pixels of the picture as the model reads it (`PictureInfo.width`, `height`). */
export const box = z.strictObject({
  left: z.number().min(0),
  top: z.number().min(0),
  width: z.number().positive(),
  height: z.number().positive(),
});
/** See `box`. */
export type Box = z.infer<typeof box>;

/** How much of a result's map lies inside boxes drawn by hand. `result`: the id of a result event. */
export const scoreRequest = z.strictObject({ result: name, boxes: z.array(box).min(1).max(100) });
/** See `scoreRequest`. */
export type ScoreRequest = z.infer<typeof scoreRequest>;

/** A result as a file. What is left out is as in the library's figures (`FigureOptions`). */
export const exportRequest = z.strictObject({
  result: name,
  format: z.enum(['png', 'svg', 'html', 'json']),
  theme: z.enum(['light', 'dark']).optional(),
  unit: z.enum(['nats', 'bits']).optional(),
  opacity: z.number().min(0).max(1).optional(),
  colourMap: name.optional(),
  /** Upper end of the image's scale in raw units, for pictures that share one. */
  high: z.number().positive().optional(),
});
/** See `exportRequest`. */
export type ExportRequest = z.infer<typeof exportRequest>;

/** A question in a conversation with a model that answers. The page keeps the conversation and sends all of it. */
export const chatRequest = z.strictObject({
  model: name,
  /** Pictures of the conversation, shown in front of the first question. */
  pictures: z.array(pictureId).max(16),
  /** Turns so far, by turns of the user and the assistant, the last one the question. */
  turns: z
    .array(z.strictObject({ role: z.enum(['user', 'assistant']), content: z.string().max(LONGEST_TEXT) }))
    .min(1)
    .max(200),
  temperature: z.number().min(0).max(100).optional(),
  maxNewTokens: whole.min(1).max(4096).optional(),
  seed: whole
    .min(0)
    .max(2 ** 31)
    .default(0),
  /** After the answer, the posterior's map of the question, where the model has a bottleneck. */
  posterior: z.boolean().default(true),
});
/** With defaults filled in. */
export type ChatRequest = z.infer<typeof chatRequest>;
/** As the page may write it. */
export type ChatInput = z.input<typeof chatRequest>;

/** Audits all pairs of a source (`SourceInfo.id`) by one method; a stopped audit of the same settings goes on. */
export const auditRequest = z.strictObject({
  model: name,
  source: name,
  method: methodChoice,
  modality: z.enum(['both', 'image', 'text']).default('both'),
  seed: whole
    .min(0)
    .max(2 ** 31)
    .default(0),
});
/** With defaults filled in. */
export type AuditRequest = z.infer<typeof auditRequest>;
/** As the page may write it. */
export type AuditInput = z.input<typeof auditRequest>;

/** What a person says of a map. */
export const VERDICTS = ['right', 'wrong', 'unsure'] as const;
/** `right`: the map marks the right place; `wrong`: another; `unsure`. */
export type Verdict = (typeof VERDICTS)[number];

/** A stretch of a source's rows, sorted and filtered by the backend. */
export const rowsQuery = z.strictObject({
  source: name,
  /** The first row wanted, counted in the sorted and filtered list. */
  from: whole.min(0).default(0),
  count: whole.min(1).max(10_000).default(200),
  sort: z.enum(['line', 'caption', 'cosine', 'bits', 'insideBox', 'verdict', 'state']).default('line'),
  descending: z.boolean().default(false),
  filter: z
    .strictObject({
      /** Captions, file names and further columns that hold this text, in any case. */
      text: z.string().max(LONGEST_TEXT).optional(),
      state: z.enum(['open', 'done', 'failed']).optional(),
      /** `none`: not judged yet. */
      verdict: z.enum([...VERDICTS, 'none']).optional(),
    })
    .default({}),
});
/** With defaults filled in. */
export type RowsQuery = z.infer<typeof rowsQuery>;
/** As the page may write it. */
export type RowsInput = z.input<typeof rowsQuery>;

/** Keeps a verdict on a row (`AuditRow.key`), or takes it back (null). */
export const verdictRequest = z.strictObject({
  source: name,
  row: name,
  verdict: z.enum(VERDICTS).nullable(),
  note: z.string().max(LONGEST_TEXT).optional(),
});
/** See `verdictRequest`. */
export type VerdictRequest = z.infer<typeof verdictRequest>;
