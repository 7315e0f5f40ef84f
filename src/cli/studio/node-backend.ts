/** @file The studio's backend in Node: the protocol over shelves of models, pictures and results, one queue for what a person waits for, one for audits. */
import type { z } from 'zod';
import { AUTO_ANSWER_METHOD, AUTO_METHOD, methods } from '../../attribution/registry.ts';
import { DEFAULT_BOTTLENECK_MODEL, DEFAULT_MODEL } from '../../models/bundled.ts';
import { auditLines, LINES_TYPE } from '../../studio/audit/export.ts';
import { pageOf } from '../../studio/audit/rows.ts';
import { boxScore } from '../../studio/box-score.ts';
import { describeMethod } from '../../studio/describe-methods.ts';
import type { ComparisonView, RobustnessView } from '../../studio/evidence.ts';
import { comparisonView, evidenceText, robustnessView } from '../../studio/evidence-files.ts';
import { answersQuestions, type StudioInfo } from '../../studio/facts.ts';
import { type EvidenceSource, type StreamOptions, type StudioBackend, StudioError } from '../../studio/protocol.ts';
import {
  attributeRequest,
  auditRequest,
  chatRequest,
  exportRequest,
  openRequest,
  rowsQuery,
  scoreRequest,
  verdictRequest,
} from '../../studio/requests.ts';
import { issueText } from '../../system/issue-text.ts';
import { version } from '../../system/version.ts';
import type { Context } from '../command.ts';
import { attributeJob, estimateCosts, type Shelves } from './attribute-job.ts';
import { lastState } from './audit-folder.ts';
import { auditJob } from './audit-job.ts';
import { AuditTable } from './audit-rows.ts';
import { chatJob } from './chat-job.ts';
import { type EvidenceTask, evidenceJson } from './evidence-reader.ts';
import { loadExamples } from './examples.ts';
import { JobQueue, type JobWork } from './job-queue.ts';
import { ModelShelf } from './model-shelf.ts';
import { PICTURE_LIMITS, PictureShelf } from './picture-shelf.ts';
import { ResultShelf } from './result-shelf.ts';
import { rowDetail, rowThumbnail } from './row-detail.ts';
import { describeSource, insideRoots, rootOf, type Source } from './sources.ts';

/** How the backend is run. */
export interface NodeBackendOptions {
  readonly context: Context;
  /** The model that is opened at first; the shipped one by default. */
  readonly model?: string;
  readonly sources: readonly Source[];
  /** Further folders in which pictures of lists may lie. */
  readonly pictureFolders?: readonly string[];
  /** The folder of the built page, whose examples are offered. */
  readonly page?: string;
}

/** Milliseconds that a job may run: half an hour; an audit, a week. */
const TIMEOUT = 30 * 60_000;
const AUDIT_TIMEOUT = 7 * 24 * 60 * 60_000;
/** Jobs that may wait. */
const WAITING = 32;

/** A request that holds to its schema. @throws StudioError `usage` that names the first field that does not */
function checked<T>(schema: z.ZodType<T>, given: unknown): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StudioError('usage', `The request's ${issue.path.join('.') || 'form'} is wrong: ${issueText(issue, given)}.`);
}

/** The backend; close it when done. */
export class NodeBackend implements StudioBackend, AsyncDisposable {
  private readonly shelves: Shelves;
  private readonly jobs: JobQueue;
  private readonly audits: JobQueue;
  private readonly tables: ReadonlyMap<string, AuditTable>;
  private readonly restored = new Set<string>();
  private examples: Promise<StudioInfo['examples']> | undefined;

  constructor(private readonly options: NodeBackendOptions) {
    const { log } = options.context;
    this.shelves = { models: new ModelShelf(), pictures: new PictureShelf(), results: new ResultShelf(), costs: new Map(), log };
    this.jobs = new JobQueue({ most: WAITING, log });
    this.audits = new JobQueue({ most: WAITING, log });
    this.tables = new Map(options.sources.map(source => [source.info.id, new AuditTable(source)]));
  }

  async info(): Promise<StudioInfo> {
    const { sources, model, page } = this.options;
    this.examples ??= loadExamples(this.shelves.pictures, page);
    return {
      version,
      backend: 'node',
      can: { chat: true, audit: true, lists: false, comparison: true, robustness: true, folders: true, hub: true, addresses: true },
      methods: methods.map(describeMethod),
      recommended: AUTO_METHOD,
      recommendedForAnswers: AUTO_ANSWER_METHOD,
      model: model ?? DEFAULT_MODEL,
      chatModel: await this.chatModel(),
      examples: await this.examples,
      sources: sources.map(source => source.info),
      limits: PICTURE_LIMITS,
    };
  }

  models() {
    return this.shelves.models.list();
  }

  open(request: unknown, options: StreamOptions = {}) {
    return this.job(options, async (say, signal) => {
      const { reference } = checked(openRequest, request);
      const { info } = await this.shelves.models.open(reference, say, signal);
      say({ kind: 'opened', model: info });
    });
  }

  async addPicture(file: Blob, name: string) {
    if (file.size > PICTURE_LIMITS.bytes)
      throw new StudioError('input', `${name} has more than ${PICTURE_LIMITS.bytes / 2 ** 20} MB; save it smaller.`);
    return (await this.shelves.pictures.add(new Uint8Array(await file.arrayBuffer()), name, 1)).info;
  }

  async picture(id: string) {
    return (await this.shelves.pictures.get(id)).info;
  }

  async pictureFile(id: string, longest?: number) {
    return asBlob(await this.shelves.pictures.file(id, longest));
  }

  async estimate(request: unknown) {
    return estimateCosts(this.shelves, checked(attributeRequest, request));
  }

  attribute(request: unknown, options: StreamOptions = {}) {
    return this.job(options, (say, signal) => attributeJob(this.shelves, checked(attributeRequest, request), say, signal));
  }

  async score(request: unknown) {
    const { result, boxes } = checked(scoreRequest, request);
    return boxScore(this.shelves.results.get(result).shown, boxes);
  }

  async exportResult(request: unknown) {
    return asBlob(await this.shelves.results.export(checked(exportRequest, request)));
  }

  chat(request: unknown, options: StreamOptions = {}) {
    return this.job(options, (say, signal) => chatJob(this.shelves, checked(chatRequest, request), say, signal));
  }

  async cancel(job: string) {
    return this.jobs.cancel(job) || this.audits.cancel(job);
  }

  sources() {
    return Promise.all(this.options.sources.map(describeSource));
  }

  audit(request: unknown, { signal }: StreamOptions = {}) {
    const work: JobWork = async (say, stop) => {
      const wanted = checked(auditRequest, request);
      await auditJob(await this.table(wanted.source), wanted, say, stop);
    };
    return this.audits.run(work, { signal, timeout: AUDIT_TIMEOUT });
  }

  async rows(query: unknown) {
    const wanted = checked(rowsQuery, query);
    return pageOf(await (await this.table(wanted.source)).rows(), wanted);
  }

  async row(source: string, key: string) {
    return rowDetail(this.shelves.pictures, await this.table(source), key, path => this.readable(source, path));
  }

  async thumbnail(source: string, key: string) {
    return asBlob(await rowThumbnail(this.shelves.pictures, await this.table(source), key, path => this.readable(source, path)));
  }

  async verdict(request: unknown) {
    const { source, row, verdict, note } = checked(verdictRequest, request);
    const table = await this.table(source);
    const { keyed } = await table.one(row);
    const { model, method } = table.audit?.request ?? { model: '', method: { name: '' } };
    const facts = { image: keyed.pair.image, text: keyed.pair.text, model, method: method.name };
    await table.verdicts.keep({ row, audit: table.auditName, ...facts, verdict, ...(note ? { note } : {}) });
  }

  async openList(): Promise<never> {
    throw new StudioError('usage', 'Lists are opened where the studio is started: narrows studio --data pairs.csv.');
  }

  async exportAudit(source: string) {
    const table = await this.table(source);
    return new Blob([auditLines(await table.rows(), table.audit?.request)], { type: LINES_TYPE });
  }

  async comparison(from: EvidenceSource) {
    return 'source' in from
      ? parsed<ComparisonView>(await this.evidence('comparison', from.source))
      : comparisonView(await evidenceText(from), from.name);
  }

  async robustness(from: EvidenceSource) {
    return 'source' in from
      ? parsed<RobustnessView>(await this.evidence('evaluation', from.source))
      : robustnessView(await evidenceText(from), from.name);
  }

  /** The view of a comparison or an evaluation as the bytes of its JSON, read in a thread of its own. */
  async evidence(kind: EvidenceTask['kind'], source: string, signal?: AbortSignal): Promise<Uint8Array> {
    return evidenceJson(kind, this.source(source), { signal });
  }

  /** Ends all jobs and closes all models. */
  async close(): Promise<void> {
    await Promise.all([this.jobs.close(), this.audits.close()]);
    await this.shelves.models.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private job({ signal }: StreamOptions, work: JobWork) {
    return this.jobs.run(work, { signal, timeout: TIMEOUT });
  }

  private source(id: string): Source {
    const source = this.options.sources.find(each => each.info.id === id);
    if (!source) throw new StudioError('missing', 'The studio was not started with this file or folder; name it after --data.');
    return source;
  }

  /** The model that answers at first: the one of this start where it answers, else the shipped one whose bottleneck can be shown. */
  private async chatModel(): Promise<string> {
    const { model } = this.options;
    if (model === undefined) return DEFAULT_BOTTLENECK_MODEL;
    const known = await this.shelves.models.known(model);
    return known && answersQuestions(known) ? model : DEFAULT_BOTTLENECK_MODEL;
  }

  /** A list with its last audit. */
  private async table(id: string): Promise<AuditTable> {
    const { info } = this.source(id);
    if (info.kind !== 'pairs') throw new StudioError('usage', `${info.name} is no list of pairs.`);
    const table = this.tables.get(id)!;
    if (!this.restored.has(id)) {
      this.restored.add(id);
      const state = await lastState(table.source);
      if (!table.audit) table.show(state);
    }
    return table;
  }

  private readable(id: string, path: string): Promise<string> {
    return insideRoots(path, [rootOf(this.source(id)), ...(this.options.pictureFolders ?? [])]);
  }
}

const parsed = <T>(json: Uint8Array): T => JSON.parse(new TextDecoder().decode(json)) as T;

const asBlob = ({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): Blob =>
  new Blob([bytes as Uint8Array<ArrayBuffer>], { type });
