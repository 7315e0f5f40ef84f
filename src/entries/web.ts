/**
 * @file `narrows/web`: Narrows in a page. Models from an address, the hub or chosen files, pictures, every method and metric, figures, chats with a
 * LLaVA. Nothing of it needs Node; `narrows/web/worker` runs it beside the page.
 */
export { type AttributeRun, Attributor } from '../attribution/attributor.ts';
export { defineMethod, type MethodDefinition } from '../attribution/define-method.ts';
export type { MethodEntry } from '../attribution/method.ts';
export { M2IB, type M2IBOptions, m2ibSchema } from '../attribution/methods/m2ib.ts';
export type { Pair } from '../attribution/pair.ts';
export { explainQuestion, type QuestionMethodEntry } from '../attribution/question.ts';
export { createMethod, findMethod, type MethodName, type MethodOptions, methods, registerMethod } from '../attribution/registry.ts';
export type {
  Attribution,
  Convergence,
  ImageAttribution,
  Stability,
  TextAttribution,
  TokenScore,
  WordScore,
} from '../attribution/result.ts';
export { explainSubject, type PairSubject, type QuestionSubject, type RegisteredMethod, type Subject } from '../attribution/subject.ts';
export type { TargetSpec } from '../attribution/target.ts';
export type { MetricEntry, MetricSample } from '../evaluation/metrics/metric.ts';
export { createMetric, findMetric, type MetricName, type MetricOptions, metrics, registerMetric } from '../evaluation/metrics/registry.ts';
export type { ChatModel, ChatSettings } from '../generation/chat-model.ts';
export { type Answer, ChatSession } from '../generation/chat-session.ts';
export type { GenerationOptions } from '../generation/options.ts';
export type { ImageReading, ImageReadOptions, ImageWindow } from '../inputs/image/image-reading.ts';
export type { Rectangle, RgbImage } from '../inputs/image/rgb-image.ts';
export { CLIPModel } from '../models/clip/model.ts';
export type { DualEncoder, Modality } from '../models/dual-encoder.ts';
export type { DualEncoderModel } from '../models/dual-encoder-model.ts';
export type { FigureOptions } from '../report/attribution/figure-options.ts';
export { attributionFromJson, attributionToJson } from '../report/attribution/json.ts';
export type { Runtime } from '../runtime/runtime.ts';
export { browserBackend as connectWorker } from '../studio/browser/backend.ts';
export type { BrowserModel, WorkerSettings } from '../studio/browser/messages.ts';
export type { BrowserExample, BrowserSettings } from '../studio/browser/settings.ts';
export type { ModelInfo, PictureInfo } from '../studio/facts.ts';
export { type StudioBackend, StudioError, type StudioEvent } from '../studio/protocol.ts';
export { NarrowsError } from '../system/errors.ts';
export type { ModelFiles } from '../system/model-files.ts';
export { version } from '../system/version.ts';
export { figurePng, figureSvg, overlayPng, reportHtml, svgToPng } from '../web/figures.ts';
export type { DownloadProgress, FileOptions, Place } from '../web/files/open-files.ts';
export { openFiles } from '../web/files/open-files.ts';
export { clearStore } from '../web/files/store.ts';
export { type DecodedImage, decodeImage } from '../web/image/decode.ts';
export { type ChatLoadOptions, type LoadOptions, loadChat, loadModel } from '../web/models.ts';
export { canvasCodec } from '../web/picture-codec.ts';
export { type WebRuntimeOptions, webRuntime } from '../web/runtime.ts';
