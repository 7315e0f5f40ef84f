/** @file What an audit measures of one finding of one picture: plain numbers, and the maps that pictures are drawn from. */
import { z } from 'zod';

/** The maps of a finding, by what was changed. */
export const VARIANTS = ['phrase', 'denied', 'mirrored', 'ensemble', 'shuffled', 'randomised', 'centre'] as const;
/** One of them. */
export type Variant = (typeof VARIANTS)[number];

const numbers = z.partialRecord(z.enum(VARIANTS), z.number());

/** Schema of a record. */
export const auditRecordSchema = z.object({
  id: z.string(),
  image: z.string(),
  label: z.string(),
  phrase: z.string(),
  /** Share of the model's view that the boxes take: what a map that says nothing puts inside. */
  area: z.number(),
  /** Cosines of picture and sentence. */
  cosine: numbers,
  /** Share of the map's positive values (nats, of a bottleneck) inside. Absent where a map is nowhere positive. */
  inside: numbers,
  /** 1 where the map's maximum is inside. */
  pointing: z.number().nullable(),
  /** IoU with the boxes: of the min–max map above 0.5 (the papers'), and of as many pixels as they take. */
  iou: z.number().nullable(),
  iouArea: z.number().nullable(),
  /** Spearman's correlation of each map with that of the phrase. */
  like: numbers,
  /** Sum of the map, in the method's unit. */
  total: z.number(),
  grid: z.tuple([z.number(), z.number()]),
  view: z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() }),
  /** Patches' values of the maps that a page draws. */
  maps: z.partialRecord(z.enum(VARIANTS), z.array(z.number())),
  boxes: z.array(z.array(z.number())),
  warnings: z.array(z.string()),
});

/** A record. */
export type AuditRecord = z.infer<typeof auditRecordSchema>;
